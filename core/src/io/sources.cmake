target_sources(netkit-core PRIVATE
  src/io/history_file.cpp
  src/io/input.cpp
  src/io/line_reader.cpp
  src/io/prompt.cpp
  src/io/terminal.cpp
)
