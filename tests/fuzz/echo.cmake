netkit_fuzz_test(echo_probe SOURCES echo_probe_fuzz.cpp LIBRARIES echo-objects)
