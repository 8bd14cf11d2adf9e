// From words, environment and configuration to the values of one action.
#pragma once

#include "cli/config_file.hpp"
#include "cli/tokenizer.hpp"

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

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Everything but the words themselves. Opens nothing.
struct ParseContext {
  std::string_view command;
  std::span<const ActionDef> actions{};  // all of the command: what its section may hold
  Environment environment{};
  // The files, most important first; asked for once the words are known, since `--config FILE`
  // names one instead (empty: none named).
  std::function<std::vector<ConfigFile>(const std::string& named)> config{};
  // Whether a section may have this name. Empty: only the command's own.
  std::function<bool(std::string_view section)> is_command{};
  // What `netkit config` asks: the values without a run, so no argument is missing.
  bool without_arguments = false;
};

enum class HelpWish : std::uint8_t { none, brief, full };

// `--help` anywhere among the options wins over everything that is missing.
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
