# netkit_add_plugin(NAME SOURCES... [LIBRARIES ...] [MAN PAGE]): the plugin of the command NAME, as NAME.so in the
# build folder; the target is netkit-NAME. One of the sources has NETKIT_PLUGIN(NAME, "summary", Class).
#
# `cmake --install` puts the plugin and its manual page beside the netkit that it was built for, unless another
# prefix is given; `cmake --install BUILD --component user --prefix ~/.local` where a user's own are looked for.
function(netkit_add_plugin name)
  cmake_parse_arguments(arg "" "MAN" "SOURCES;LIBRARIES" ${ARGN})
  set(target netkit-${name})
  add_library(${target} MODULE ${arg_SOURCES} ${arg_UNPARSED_ARGUMENTS})
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE netkit::netkit-core ${arg_LIBRARIES})
  # Everything is bound when it is loaded: what is missing is said then, not in the middle of a run.
  target_link_options(${target} PRIVATE -Wl,-z,defs -Wl,-z,now -Wl,--as-needed)

  # A plugin below another prefix than netkit's would not be found.
  if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
    set_property(CACHE CMAKE_INSTALL_PREFIX PROPERTY VALUE ${netkit_PREFIX})
  endif()
  install(TARGETS ${target} DESTINATION ${netkit_PLUGIN_SUBDIR} COMPONENT plugin)
  install(TARGETS ${target} DESTINATION share/netkit/plugins/${netkit_ABI} COMPONENT user EXCLUDE_FROM_ALL)
  if(arg_MAN)
    string(REGEX REPLACE ".*\\." "" section ${arg_MAN})
    install(FILES ${arg_MAN} DESTINATION share/man/man${section} COMPONENT plugin)
    install(FILES ${arg_MAN} DESTINATION share/man/man${section} COMPONENT user EXCLUDE_FROM_ALL)
  endif()
endfunction()
