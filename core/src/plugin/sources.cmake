target_sources(netkit-core PRIVATE
  src/plugin/declaration_check.cpp
  src/plugin/elf_note.cpp
  src/plugin/host_impl.cpp
  src/plugin/live_line.cpp
  src/plugin/loader.cpp
  src/plugin/metrics_server.cpp
  src/plugin/plugin_file.cpp
  src/plugin/probe.cpp
  src/plugin/readiness.cpp
  src/plugin/registry.cpp
  src/plugin/run_options.cpp
  src/plugin/search_path.cpp
  src/plugin/sources.cpp
  src/plugin/stop_signals.cpp
  src/plugin/totals_text.cpp
)
