# `cpack --config build/release/CPackConfig.cmake`: the Debian packages netkit, and netkit-dev, which plugins are
# built with.
set(NETKIT_MAINTAINER "netkit maintainers <netkit@packages.invalid>" CACHE STRING
  "Who answers for the Debian package: Name <address>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME netkit)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${NETKIT_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
# CPack's default: with any other it would be the first line of both descriptions.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "netkit built using CMake")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
# Units hold the prefix, so they have to be installed with the one that the package has.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL Unspecified dev)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/debian/options.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/finish.cmake)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME netkit)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_DEPENDS netbase)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_SUGGESTS netkit-dev)
# CPack's own would be complained about for each plugin, which have no soname.
configure_file(${PROJECT_SOURCE_DIR}/cmake/debian/shlibs.in ${PROJECT_BINARY_DIR}/debian/shlibs @ONLY)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/shlibs)
foreach(script triggers postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_UNSPECIFIED_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/cmake/debian/${script})
endforeach()
set(CPACK_COMPONENT_UNSPECIFIED_DESCRIPTION
"network tools for the command line: echo, chat, broadcast, push, sse
Network tools that people otherwise write small scripts for, one subcommand
each: an echo server with ping and load test, a UDP chat room, broadcast and
multicast with answers, push to subscribers, a Server-Sent-Events client and
server, framed TCP. They are made for prompts and for pipes: text, JSON Lines
or raw bytes, and an exit status that says what happened.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME netkit-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "netkit (= ${PROJECT_VERSION}-1)")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "cmake, libgtest-dev, libssl-dev")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"headers that plugins of netkit are built with
Headers, a CMake package and a pkg-config file for plugins of netkit.
\"netkit plugins new NAME\" writes one to begin with, and netkit-plugin(3)
walks through it.")
include(CPack)
