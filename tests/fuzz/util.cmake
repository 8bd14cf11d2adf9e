netkit_fuzz_test(escape_text SOURCES escape_text_fuzz.cpp)
netkit_fuzz_test(utf8 SOURCES utf8_fuzz.cpp)
netkit_fuzz_test(quantity_text SOURCES quantity_text_fuzz.cpp)
