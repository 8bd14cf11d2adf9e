target_sources(netkit-core PRIVATE
  src/cli/common_options.cpp
  src/cli/completion.cpp
  src/cli/config_file.cpp
  src/cli/help.cpp
  src/cli/help_topics.cpp
  src/cli/option_set.cpp
  src/cli/parser.cpp
  src/cli/shared_definitions.cpp
  src/cli/shell_line.cpp
  src/cli/text_layout.cpp
  src/cli/tokenizer.cpp
  src/cli/checks.cpp
  src/cli/values.cpp
)
