netkit_fuzz_test(redis_text SOURCES redis_text_fuzz.cpp LIBRARIES redis-objects)
