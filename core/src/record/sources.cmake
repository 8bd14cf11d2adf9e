target_sources(netkit-core PRIVATE
  src/record/command_ticker.cpp
  src/record/compiled_template.cpp
  src/record/exec_sink.cpp
  src/record/formatter.cpp
  src/record/network_sink.cpp
  src/record/network_source.cpp
  src/record/output_impl.cpp
  src/record/recording.cpp
  src/record/sink.cpp
  src/record/sources.cpp
  src/record/stream_sinks.cpp
)
