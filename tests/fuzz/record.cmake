netkit_fuzz_test(template SOURCES template_fuzz.cpp)
netkit_fuzz_test(json_text SOURCES json_text_fuzz.cpp)
netkit_fuzz_test(recording SOURCES recording_fuzz.cpp)
