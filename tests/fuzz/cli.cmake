netkit_fuzz_test(argv SOURCES argv_fuzz.cpp)
netkit_fuzz_test(config_file SOURCES config_file_fuzz.cpp)
netkit_fuzz_test(shell_line SOURCES shell_line_fuzz.cpp)
