netkit_fuzz_test(frame_message SOURCES frame_message_fuzz.cpp LIBRARIES frame-objects)
netkit_fuzz_test(frame_recording SOURCES frame_recording_fuzz.cpp LIBRARIES frame-objects)
