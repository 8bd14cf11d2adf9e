target_sources(netkit-core PRIVATE
  src/plugin/bench_rows.cpp
  src/plugin/declaration_check.cpp
  src/plugin/elf_note.cpp
  src/plugin/host_impl.cpp
  src/plugin/live_line.cpp
  src/plugin/loader.cpp
  src/plugin/plugin_file.cpp
  src/plugin/probe.cpp
  src/plugin/process_context.cpp
  src/plugin/registry.cpp
  src/plugin/run_options.cpp
  src/plugin/sandbox.cpp
  src/plugin/search_path.cpp
  src/plugin/store_records.cpp
  src/plugin/totals_report.cpp
)
