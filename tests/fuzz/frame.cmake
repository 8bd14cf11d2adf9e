netkit_fuzz_test(frame_message SOURCES frame_message_fuzz.cpp LIBRARIES frame-objects)
