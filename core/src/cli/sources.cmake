target_sources(netkit-core PRIVATE
  src/cli/argument_check.cpp
  src/cli/common_options.cpp
  src/cli/config_file.cpp
  src/cli/option_set.cpp
  src/cli/parser.cpp
  src/cli/tokenizer.cpp
  src/cli/value_check.cpp
  src/cli/values.cpp
)
