netkit_fuzz_test(chat_payload SOURCES chat_payload_fuzz.cpp LIBRARIES chat-objects)
netkit_fuzz_test(chat_room SOURCES chat_room_fuzz.cpp LIBRARIES chat-objects)
netkit_fuzz_test(chat_server SOURCES chat_server_fuzz.cpp LIBRARIES chat-objects)
