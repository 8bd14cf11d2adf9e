# See NETKIT_PCH in netkit_build.cmake.
set(NETKIT_STANDARD_HEADERS
  <algorithm> <array> <charconv> <chrono> <cstdint> <cstring> <deque> <functional> <map> <memory> <optional> <span>
  <string> <string_view> <unordered_map> <utility> <variant> <vector>)

# netkit_precompiled(NAME HEADERS...): headers that the targets of a folder share, which have the same options.
function(netkit_precompiled name)
  if(NETKIT_PCH)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp "")
    add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    target_precompile_headers(${name} PRIVATE ${ARGN})
  endif()
endfunction()

function(netkit_use_precompiled target name)
  if(NETKIT_PCH)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

# netkit_together(TARGET N): compiles N files of it as one where headers are precompiled. Most of the time goes into
# the same templates again and again: together they take half of it. Names in anonymous namespaces of neighbours
# therefore differ.
function(netkit_together target files)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${NETKIT_PCH} UNITY_BUILD_BATCH_SIZE ${files})
endfunction()

# Of the plugins and the library that the executable loads.
netkit_precompiled(netkit-headers ${NETKIT_STANDARD_HEADERS})
