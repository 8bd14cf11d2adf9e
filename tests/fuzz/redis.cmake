netkit_fuzz_test(redis_text OWN_DEFINITIONS SOURCES redis_text_fuzz.cpp LIBRARIES redis-objects)
