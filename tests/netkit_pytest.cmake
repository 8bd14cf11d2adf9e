# netkit_pytest(NAME FILE [LABELS ...] [TIMEOUT n]): a Python file of black-box tests against the installed
# netkit, one CTest entry. The fixture `installed` puts this build into build/<preset>/stage first.
find_program(NETKIT_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(NETKIT_STAGE ${PROJECT_BINARY_DIR}/stage)

add_test(NAME install_stage
  COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${NETKIT_STAGE})
set_tests_properties(install_stage PROPERTIES FIXTURES_SETUP installed)

function(netkit_pytest name file)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${NETKIT_PYTHON} -m pytest -q -p no:cacheprovider --timeout=120
    ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED installed TIMEOUT ${arg_TIMEOUT}
    LABELS "e2e;${arg_LABELS}"
    ENVIRONMENT "NETKIT=${NETKIT_STAGE}/${CMAKE_INSTALL_BINDIR}/netkit;NETKIT_PREFIX=${NETKIT_STAGE};NETKIT_BUILD=${PROJECT_BINARY_DIR};NETKIT_SOURCE=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1;ASAN_OPTIONS=detect_leaks=1:verify_asan_link_order=0:quarantine_size_mb=2;UBSAN_OPTIONS=print_stacktrace=1")
endfunction()
