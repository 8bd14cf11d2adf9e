# netkit_add_plugin(NAME SOURCES... [LIBRARIES ...]): the plugin of the command NAME, as NAME.so in the build
# folder. One of the sources has NETKIT_PLUGIN(NAME, "summary", Class). `cmake --install` puts it where the
# netkit that it was built for looks, below the prefix; a user's own prefix is ~/.local, whose share/netkit/
# plugins/<abi> netkit searches as well.
function(netkit_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name} MODULE ${arg_SOURCES} ${arg_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE netkit::netkit-core ${arg_LIBRARIES})
  # Everything is bound when it is loaded: what is missing is said then, not in the middle of a run.
  target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,-z,now -Wl,--as-needed)
  install(TARGETS ${name} DESTINATION ${netkit_PLUGIN_SUBDIR})
endfunction()
