// The words of a command line as options and arguments.
#pragma once

#include "cli/option_set.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

struct Token {
  std::string option;  // full name without dashes; empty: an argument
  std::optional<std::string> value{};
};

// `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, `-vvq`, in any order with the arguments;
// `--` ends options; `-` and what looks like a negative number (where no letter is a digit) are
// arguments. The word after an option is its value even when it begins with a dash, unless it is an
// option of the action itself. An optional duration takes the next word only if it reads as one. No
// abbreviations. Throws UsageError, with "did you mean". Any thread.
NETKIT_API std::vector<Token> tokenize(const OptionSet& options, std::span<const std::string> words,
                                       std::string_view address = {});

}  // namespace netkit
