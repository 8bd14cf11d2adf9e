# netkit_pytest(NAME FILE [LABELS ...] [TIMEOUT n]): a Python file of black-box tests against the installed
# netkit, one CTest entry. The fixture `installed` puts this build into build/<preset>/stage first.
#
# Tests that are marked `realtime` are an entry of their own, NAME_realtime, with a label of that name, and run
# alone: they would fail where the clock goes on while a loaded machine lets nobody do anything.
find_program(NETKIT_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(NETKIT_STAGE ${PROJECT_BINARY_DIR}/stage)

add_test(NAME install_stage
  COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${NETKIT_STAGE})
set_tests_properties(install_stage PROPERTIES FIXTURES_SETUP installed)

# netkit_installed_test(NAME TIMEOUT LABELS): an entry that runs the installed netkit, with what it needs for that.
function(netkit_installed_test name timeout labels)
  set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED installed TIMEOUT ${timeout} LABELS "${labels}"
    ENVIRONMENT "NETKIT=${NETKIT_STAGE}/${CMAKE_INSTALL_BINDIR}/netkit;NETKIT_PREFIX=${NETKIT_STAGE};NETKIT_BUILD=${PROJECT_BINARY_DIR};NETKIT_SOURCE=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1;ASAN_OPTIONS=detect_leaks=1:verify_asan_link_order=0:quarantine_size_mb=2:${NETKIT_ASAN_OPTIONS}")
endfunction()

# What no build with sanitizers runs. These compare what the program says of itself with its pages, or build and install
# with what an installation holds: none of it comes from outside, and the code that runs is that of other tests, too.
set(NETKIT_WITHOUT_SANITIZERS cli_drift cli_help cli_migrate cli_readme packaging_debian packaging_kit packaging_plugin_new)

function(netkit_pytest_entry name file timeout labels)
  add_test(NAME ${name} COMMAND ${NETKIT_PYTHON} -m pytest -q -p no:cacheprovider --timeout=120 ${ARGN} ${file})
  netkit_installed_test(${name} ${timeout} "${labels}")
endfunction()

function(netkit_pytest name file)
  if(NETKIT_SANITIZE AND name IN_LIST NETKIT_WITHOUT_SANITIZERS)
    return()
  endif()
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(path ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(STRINGS ${path} marked REGEX "^@pytest\\.mark\\.realtime$" LIMIT_COUNT 1)
  if(marked)
    netkit_pytest_entry(${name}_realtime ${path} ${arg_TIMEOUT} "e2e;realtime;${arg_LABELS}" -m realtime)
    set_tests_properties(${name}_realtime PROPERTIES RUN_SERIAL TRUE)
    netkit_pytest_entry(${name} ${path} ${arg_TIMEOUT} "e2e;${arg_LABELS}" -m "not realtime")
  else()
    netkit_pytest_entry(${name} ${path} ${arg_TIMEOUT} "e2e;${arg_LABELS}")
  endif()
endfunction()
