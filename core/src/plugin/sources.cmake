target_sources(netkit-core PRIVATE
  src/plugin/declaration_check.cpp
  src/plugin/elf_note.cpp
  src/plugin/loader.cpp
  src/plugin/plugin_file.cpp
  src/plugin/probe.cpp
  src/plugin/registry.cpp
  src/plugin/search_path.cpp
)
