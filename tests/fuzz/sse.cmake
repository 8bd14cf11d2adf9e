netkit_fuzz_test(sse_parser SOURCES sse_parser_fuzz.cpp LIBRARIES sse-objects sse-reader-objects)
netkit_fuzz_test(sse_encoder SOURCES sse_encoder_fuzz.cpp LIBRARIES sse-objects sse-reader-objects)
netkit_fuzz_test(sse_json_texts SOURCES sse_json_texts_fuzz.cpp LIBRARIES sse-objects sse-reader-objects)
netkit_fuzz_test(sse_select SOURCES sse_select_fuzz.cpp LIBRARIES sse-objects sse-reader-objects)
