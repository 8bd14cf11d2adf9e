target_sources(netkit-core PRIVATE
  src/io/history_file.cpp
  src/io/input.cpp
  src/io/line_reader.cpp
  src/io/prompt_input.cpp
  src/io/shell_prompt.cpp
  src/io/terminal_guard.cpp
  src/io/wrapped_rows.cpp
)
