# What an installation holds, beside the targets that install themselves. The component dev is what plugins are built
# with; everything else is the program (CMake's component Unspecified).
include(CMakePackageConfigHelpers)

# Completions, each where its shell looks.
install(FILES ${PROJECT_SOURCE_DIR}/completions/netkit.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME netkit)
install(FILES ${PROJECT_SOURCE_DIR}/completions/_netkit
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${PROJECT_SOURCE_DIR}/completions/netkit.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# The dashboard, the alerts and the dissector, and where Debian's Wireshark and tshark look for it.
install(FILES ${PROJECT_SOURCE_DIR}/share/netkit.lua ${PROJECT_SOURCE_DIR}/share/grafana.json
  ${PROJECT_SOURCE_DIR}/share/alerts.yml DESTINATION ${CMAKE_INSTALL_DATADIR}/netkit)
cmake_path(APPEND wireshark lib "${CMAKE_LIBRARY_ARCHITECTURE}" wireshark plugins)
file(RELATIVE_PATH dissector /${wireshark} /${CMAKE_INSTALL_DATADIR}/netkit/netkit.lua)
file(CREATE_LINK ${dissector} ${PROJECT_BINARY_DIR}/netkit.lua SYMBOLIC)
install(FILES ${PROJECT_BINARY_DIR}/netkit.lua DESTINATION ${wireshark})

# Manual pages: those of netkit itself, and one a command.
set(pages netkit.1 netkit-completion.1 netkit-config.1 netkit-plugins.1 netkit-psk.1 netkit-shell.1 netkit.conf.5 netkit-migrate.7 netkit-protocol.7 netkit-recipes.7 netkit-store.7 netkit-plugin.3)
foreach(command IN LISTS NETKIT_COMMANDS)
  list(APPEND pages netkit-${command}.1)
endforeach()
foreach(page IN LISTS pages)
  string(REGEX REPLACE ".*\\." "" section ${page})
  set(component Unspecified)
  if(section STREQUAL "3")
    set(component dev)
  endif()
  install(FILES ${PROJECT_SOURCE_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
    COMPONENT ${component})
endforeach()

# For plugins outside the tree: find_package(netkit), netkit_add_plugin(), pkg-config.
set(NETKIT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/netkit)
install(EXPORT netkit-targets NAMESPACE netkit:: DESTINATION ${NETKIT_CMAKE_DIR} COMPONENT dev)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/netkit-config.cmake.in
  ${PROJECT_BINARY_DIR}/netkit-config.cmake INSTALL_DESTINATION ${NETKIT_CMAKE_DIR}
  PATH_VARS CMAKE_INSTALL_BINDIR NETKIT_PLUGIN_SUBDIR)
# A plugin has to be built for the very version, as its build tag says.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/netkit-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY ExactVersion)
install(FILES ${PROJECT_BINARY_DIR}/netkit-config.cmake ${PROJECT_BINARY_DIR}/netkit-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/netkit_add_plugin.cmake DESTINATION ${NETKIT_CMAKE_DIR} COMPONENT dev)

# Paths in the .pc file are relative to it, so that the installation can be moved.
file(RELATIVE_PATH NETKIT_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/netkit.pc.in ${PROJECT_BINARY_DIR}/netkit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/netkit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
