// What `--help`, `-h` and `netkit help` print, made from the declarations.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

inline constexpr std::size_t kHelpWidth = 80;

// Any thread, like everything here. Lines are at most `width` columns wide, except examples and
// words that are wider themselves.

// What it does, usage, examples, description, arguments, the action's own options, the names of the
// common ones, records and totals.
NETKIT_API std::string action_help(std::string_view command, const ActionDef& action,
                                   std::size_t width = kHelpWidth);

// On one screen: what it does, usage, two examples, the own options with the first line of their
// help.
NETKIT_API std::string brief_action_help(std::string_view command, const ActionDef& action,
                                         std::size_t width = kHelpWidth);

// A command's actions, an example of each; of a command with one action its help.
NETKIT_API std::string command_help(std::string_view command, std::string_view summary,
                                    std::span<const ActionDef> actions,
                                    std::size_t width = kHelpWidth);
NETKIT_API std::string brief_command_help(std::string_view command, std::string_view summary,
                                          std::span<const ActionDef> actions,
                                          std::size_t width = kHelpWidth);

// The sentence of a usage error with a reference to the help: "…; see 'netkit echo ping --help'".
// Command and action may be empty.
NETKIT_API std::string with_help_hint(std::string_view sentence, std::string_view command,
                                      std::string_view action);

struct CommandSummary {
  std::string name;
  std::string summary;
};

// `netkit --help`.
NETKIT_API std::string overview(std::span<const CommandSummary> commands,
                                std::span<const CommandSummary> builtins,
                                std::span<const CommandSummary> external,
                                std::size_t width = kHelpWidth);
// `netkit -h`, and `netkit` alone where there is no terminal.
NETKIT_API std::string brief_overview(std::span<const CommandSummary> commands,
                                      std::size_t width = kHelpWidth);

// `netkit help TOPIC`.
struct HelpTopic {
  std::string_view name;
  std::string_view summary;
  std::string (*text)(std::size_t width);
};
NETKIT_API std::span<const HelpTopic> help_topics();

// Help as it grows.
class NETKIT_API HelpText {
 public:
  explicit HelpText(std::size_t width = kHelpWidth) : width_(width) {}
  std::size_t width() const { return width_; }
  const std::string& text() const { return text_; }
  HelpText& operator+=(std::string_view text);  // as it is

 private:
  std::size_t width_;
  std::string text_{};
};

// A row with an option, its value, help and default.
void append_option(HelpText& out, const OptionDef& option);

// How many columns UTF-8 text takes, a column a code point.
NETKIT_API std::size_t columns(std::string_view text);

// Appends `text` with every line indented by `indent` and at most as wide as `out` is, broken at
// spaces; a word that is wider stands alone. Empty lines part paragraphs. The first line continues
// where `out` already has `at` columns.
NETKIT_API void append_wrapped(HelpText& out, std::string_view text, std::size_t indent,
                               std::size_t at = 0);

// Appends a row of two columns: `left` indented by two, `right` wrapped from column `split` on;
// where `left` is too wide, `right` begins on a line of its own. Narrow help has little of an
// indent instead of a column.
NETKIT_API void append_row(HelpText& out, std::string_view left, std::string_view right,
                           std::size_t split);

}  // namespace netkit
