# Compiler settings that every target shares, and the functions that make the targets.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(NETKIT_CCACHE ccache)
if(NETKIT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${NETKIT_CCACHE})
endif()

# Precompiled headers: most of what it takes to compile a file here are the standard library's headers. Off by
# default where ccache is, which compiles nothing twice; that each file includes what it needs is tested there.
set(pch_default ON)
if(NETKIT_CCACHE)
  set(pch_default OFF)
endif()
option(NETKIT_PCH "Precompile the standard library's headers, and compile several files at a time" ${pch_default})

# The build tree has the layout of an installation, so that the executable finds its plugins in both.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_BINDIR})
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
set(NETKIT_PLUGIN_SUBDIR ${CMAKE_INSTALL_LIBDIR}/netkit/plugins/${NETKIT_ABI})
file(RELATIVE_PATH NETKIT_BIN_TO_LIB /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
file(RELATIVE_PATH NETKIT_BIN_TO_PLUGINS /${CMAKE_INSTALL_BINDIR} /${NETKIT_PLUGIN_SUBDIR})
file(RELATIVE_PATH NETKIT_BIN_TO_DATA /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_DATADIR})

add_library(netkit-warnings INTERFACE)
target_compile_options(netkit-warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns wrongly of `"text" + std::string` when it optimises (GCC bug 105651); with precompiled headers
  # of std::string's own functions, too.
  target_compile_options(netkit-warnings INTERFACE -Wno-restrict)
  if(NETKIT_PCH)
    target_compile_options(netkit-warnings INTERFACE -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NETKIT_PCH)
  # Files that are compiled together are no headers.
  target_compile_options(netkit-warnings INTERFACE -Wno-subobject-linkage)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # GCC says what is deprecated; newer ones of clang say it of GCC 12's own library, too (std::stable_partition).
  # And a class that handles what two others tell hides nothing that anybody would call.
  target_compile_options(netkit-warnings INTERFACE -Wno-deprecated-declarations -Wno-overloaded-virtual)
  if(NETKIT_PCH)
    # Names of files that are compiled together hide each other, which only clang minds.
    target_compile_options(netkit-warnings INTERFACE -Wno-shadow)
  endif()
endif()
if(NETKIT_DEV)
  target_compile_options(netkit-warnings INTERFACE -Werror)
endif()

# GCC 12 loses track of what sanitizers instrument, and calls std::optional and std::regex uninitialized.
if(NETKIT_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(netkit-warnings INTERFACE -Wno-maybe-uninitialized)
endif()

# No path of the machine that builds ends up in what is built.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-g1)
else()
  add_compile_options(-fno-plt)
  if(NOT NETKIT_SANITIZE)
    # Against those who find a fault. -U first: compilers and packagers may have a level of their own.
    add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NETKIT_PCH)
    # In a large unit GCC inlines less, and files that are compiled together are one.
    add_compile_options(--param=large-unit-insns=100000)
  endif()
endif()
add_link_options(-Wl,-z,relro -Wl,-z,noexecstack)
include(CheckPIESupported)
check_pie_supported()
if(NETKIT_SANITIZE)
  # -O1 compiles for two thirds longer, and what it makes is no faster to speak of.
  add_compile_options(-fsanitize=${NETKIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -Og)
  add_link_options(-fsanitize=${NETKIT_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NETKIT_SANITIZE MATCHES "undefined")
    # GCC keeps what UBSan would say as data that AddressSanitizer guards piece by piece: three quarters of what a
    # start costs. So what is undefined ends in SIGILL, of which AddressSanitizer shows the stack (handle_sigill=1).
    # The fuzzers, which clang builds, say it in words, and check what cannot be a trap: casts of classes.
    add_compile_options(-fsanitize-undefined-trap-on-error -fno-sanitize=vptr)
  endif()
endif()
if(NETKIT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/fuzz/ignore.txt)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# What is loaded at run time binds everything then.
function(netkit_link_module name)
  target_link_libraries(${name} PRIVATE netkit-core ${ARGN} fmt::fmt)
  if(NOT NETKIT_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  target_link_options(${name} PRIVATE -Wl,-z,now -Wl,--as-needed)
endfunction()

# netkit_core_library(NAME SOURCES... [LIBRARIES ...]): a part of core that is loaded when it is first used,
# netkit/NAME.so (core_library_symbol()).
function(netkit_core_library name)
  cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
  add_library(netkit-${name} MODULE ${arg_UNPARSED_ARGUMENTS})
  netkit_use_precompiled(netkit-${name} netkit-headers)
  set_target_properties(netkit-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/netkit
    BUILD_RPATH_USE_ORIGIN ON INSTALL_RPATH "$ORIGIN/..")
  target_include_directories(netkit-${name} PRIVATE ${PROJECT_SOURCE_DIR}/core/src)
  target_link_libraries(netkit-${name} PRIVATE netkit-core netkit-warnings ${arg_LIBRARIES})
  target_link_options(netkit-${name} PRIVATE -Wl,-z,now -Wl,--as-needed)
  if(NOT NETKIT_SANITIZE)
    target_link_options(netkit-${name} PRIVATE -Wl,-z,defs)
  endif()
  install(TARGETS netkit-${name} DESTINATION ${CMAKE_INSTALL_LIBDIR}/netkit)
endfunction()

# netkit_plugin(NAME [OWN_DEFINITIONS] SOURCES... [LIBRARIES ...]): the plugin of one command. Its protocol and driver are an
# object library, NAME-objects, so that tests and fuzzers link the same objects without loading a plugin.
# OWN_DEFINITIONS: its libraries have macros of their own, which the precompiled headers were made without.
function(netkit_plugin name)
  cmake_parse_arguments(arg "OWN_DEFINITIONS" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name}-objects OBJECT ${arg_SOURCES})
  netkit_together(${name}-objects 8)
  if(NOT arg_OWN_DEFINITIONS)
    netkit_use_precompiled(${name}-objects netkit-headers)
  endif()
  target_link_libraries(${name}-objects PUBLIC netkit-core ${arg_LIBRARIES} PRIVATE netkit-warnings fmt::fmt)
  target_include_directories(${name}-objects PUBLIC ${PROJECT_SOURCE_DIR}/plugins)
  if(NETKIT_STATIC_PLUGINS)
    target_compile_definitions(${name}-objects PRIVATE NETKIT_STATIC_PLUGINS)
    return()
  endif()
  add_library(${name} MODULE $<TARGET_OBJECTS:${name}-objects>)
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${NETKIT_PLUGIN_SUBDIR}
    BUILD_RPATH_USE_ORIGIN ON INSTALL_RPATH "$ORIGIN/../../..")
  netkit_link_module(${name} ${arg_LIBRARIES})
  install(TARGETS ${name} DESTINATION ${NETKIT_PLUGIN_SUBDIR})
endfunction()

# netkit_plugin_part(PLUGIN PART SOURCES... [LIBRARIES ...]): a part of a plugin that load_part() loads when it is
# first needed, parts/PLUGIN_PART.so; its objects are PLUGIN-PART-objects. Plugins that are linked in have it in them.
function(netkit_plugin_part plugin part)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  set(name ${plugin}-${part})
  if(NETKIT_STATIC_PLUGINS)
    target_sources(${plugin}-objects PRIVATE ${arg_SOURCES})
    target_link_libraries(${plugin}-objects PUBLIC ${arg_LIBRARIES})
    add_library(${name}-objects INTERFACE)
    return()
  endif()
  add_library(${name}-objects OBJECT ${arg_SOURCES})
  netkit_together(${name}-objects 8)
  netkit_use_precompiled(${name}-objects netkit-headers)
  target_link_libraries(${name}-objects PUBLIC netkit-core ${arg_LIBRARIES} PRIVATE netkit-warnings fmt::fmt)
  target_include_directories(${name}-objects PUBLIC ${PROJECT_SOURCE_DIR}/plugins)
  add_library(${name} MODULE $<TARGET_OBJECTS:${name}-objects>)
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME ${plugin}_${part}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${NETKIT_PLUGIN_SUBDIR}/parts
    BUILD_RPATH_USE_ORIGIN ON INSTALL_RPATH "$ORIGIN/../../../..")
  netkit_link_module(${name} ${arg_LIBRARIES})
  add_dependencies(${plugin} ${name})
  install(TARGETS ${name} DESTINATION ${NETKIT_PLUGIN_SUBDIR}/parts)
endfunction()
