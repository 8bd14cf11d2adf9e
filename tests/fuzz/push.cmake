netkit_fuzz_test(push_control SOURCES push_control_fuzz.cpp LIBRARIES push-objects)
netkit_fuzz_test(push_hub SOURCES push_hub_fuzz.cpp LIBRARIES push-objects)
netkit_fuzz_test(push_payload SOURCES push_payload_fuzz.cpp LIBRARIES push-objects)
netkit_fuzz_test(push_server SOURCES push_server_fuzz.cpp LIBRARIES push-objects)
