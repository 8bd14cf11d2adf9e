netkit_fuzz_test(store_text SOURCES store_text_fuzz.cpp)
