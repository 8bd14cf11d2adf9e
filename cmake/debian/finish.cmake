# Runs after the files of the packages are in place and before they are packed: what Debian's policy asks for beside
# them (sections 12.1, 12.5 and 12.7).

# The changelog of the package: the version, and where what is new stands.
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(changelog "netkit (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n  * Built from the sources of ${CPACK_PACKAGE_VERSION}; see its CHANGELOG.md.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
  string(TOUPPER ${component} variable)
  set(doc ${root}${CPACK_INSTALL_PREFIX}/share/doc/${CPACK_DEBIAN_${variable}_PACKAGE_NAME})
  # Not file(INSTALL), which would put DESTDIR in front.
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${doc})
  file(WRITE ${doc}/changelog.Debian "${changelog}")
  # Where Debian's zsh looks: site-functions are those below /usr/local.
  set(zsh ${root}${CPACK_INSTALL_PREFIX}/share/zsh)
  if(EXISTS ${zsh}/site-functions)
    file(RENAME ${zsh}/site-functions ${zsh}/vendor-completions)
  endif()
  file(GLOB pages ${root}${CPACK_INSTALL_PREFIX}/share/man/man*/*)
  execute_process(COMMAND gzip -9n ${pages} ${doc}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  # Whatever the umask of who packs.
  file(CHMOD ${doc}/changelog.Debian.gz PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  file(GLOB_RECURSE paths LIST_DIRECTORIES true ${root}/*)
  foreach(path IN LISTS paths)
    if(IS_DIRECTORY ${path})
      file(CHMOD ${path} PERMISSIONS ${CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
    endif()
  endforeach()
endforeach()
