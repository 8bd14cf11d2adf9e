// From words, environment and configuration to the values of one action.
#pragma once

#include "cli/config_file.hpp"
#include "cli/option_set.hpp"
#include "util/environment.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct Token {
  std::string option;  // full name without dashes; empty: an argument
  std::optional<std::string> value{};
};

// `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, `-vvq`, in any order with the arguments;
// `--` ends options; `-` and what looks like a negative number (where no letter is a digit) are
// arguments. The word after an option is its value even when it begins with a dash, unless it is an
// option of the action itself. An optional duration takes what follows `=` alone. No abbreviations.
// Throws UsageError, with "did you mean". Any thread.
NETKIT_API std::vector<Token> tokenize(const OptionSet& options, std::span<const std::string> words,
                                       std::string_view address = {});

// Everything that the parser needs besides the words. Opens nothing.
struct ParseContext {
  std::string_view command;
  std::span<const ActionDef> actions{};  // all of the command: what its section may hold
  Environment environment{};
  // The files, most important first; asked for once the words are known, since `--config FILE`
  // names one instead (empty: none named).
  std::function<std::vector<ConfigFile>(const std::string& named)> config{};
  // Whether a section may have this name. Empty: only the command's own.
  std::function<bool(std::string_view section)> is_command{};
  // For `netkit config`: the values without a run, so no argument is missing.
  bool without_arguments = false;
};

enum class HelpWish : std::uint8_t { none, brief, full };

// `--help` anywhere among the options takes precedence over missing arguments and options.
NETKIT_API HelpWish help_wish(const OptionSet& options, std::span<const std::string> words);

// The option's value from the command line, else the environment, else the files, else the default;
// a repeated option that is not repeatable keeps its last value, so that an alias can be
// overridden. Throws UsageError ("--wait: '5x' is not a duration (…)"), or Error with
// ExitStatus::config for what a file has wrong. Any thread.
NETKIT_API Values parse(const ActionDef& action, std::span<const std::string> words,
                        const ParseContext& context);

// `NETKIT_ECHO_CONNECT_TIMEOUT`
NETKIT_API std::string environment_name(std::string_view command, std::string_view option);

}  // namespace netkit
