netkit_fuzz_test(frame_message SOURCES frame_message_fuzz.cpp LIBRARIES frame-objects)
netkit_fuzz_test(frame_rule SOURCES frame_rule_fuzz.cpp LIBRARIES frame-objects)
