#include "cli/help.hpp"

#include "cli/checks.hpp"
#include "cli/option_set.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::size_t kOptionColumn = 26;
constexpr std::size_t kMaxNameColumn = 30;

// `netkit sse [read]`
std::string invocation(std::string_view command, const ActionDef& action) {
  std::string out = "netkit " + std::string(command);
  // A built-in word has one action, which has no name.
  if (action.name.empty()) return out;
  out += action.may_be_omitted ? " [" + std::string(action.name) + "]"
                               : " " + std::string(action.name);
  return out;
}

std::string usage(std::string_view command, const ActionDef& action) {
  std::string out = invocation(command, action) + " [OPTIONS]";
  const std::string arguments = argument_synopsis(action);
  if (!arguments.empty()) out += " " + arguments;
  return out;
}

// `-w, --wait D`, `--stats[=D]`; letters stand in a separate column.
std::string option_words(const OptionDef& option) {
  std::string out = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
  out += "--" + std::string(option.name);
  const std::string value = value_name(option);
  if (!value.empty()) out += (value.starts_with('[') ? "" : " ") + value;
  return out;
}

std::string option_text(const OptionDef& option) {
  std::string out(option.help);
  if (option.repeatable && option.help.find("repeatable") == option.help.npos &&
      option.kind != ValueKind::flag) {
    out += " (repeatable)";
  }
  if (!option.needs.empty()) out += fmt::format(" (needs --{})", fmt::join(option.needs, ", --"));
  if (!option.excludes.empty()) {
    out += fmt::format(" (not with --{})", fmt::join(option.excludes, ", --"));
  }
  if (!option.default_value.empty()) out += " [" + std::string(option.default_value) + "]";
  return out;
}

void append_options(HelpText& out, std::string_view title, std::span<const OptionDef> options) {
  if (options.empty()) return;
  out += "\n" + std::string(title) + ":\n";
  for (const OptionDef& option : options) append_option(out, option);
}

// `-t/--timeout --stats`
void append_names(HelpText& out, std::span<const OptionDef> options) {
  if (options.empty()) return;
  append_wrapped(out, "\nCommon options ('netkit help common' explains them):", 0);
  std::string names;
  for (const OptionDef& option : options) {
    names += option.letter != 0 ? fmt::format("-{}/--", option.letter) : "--";
    names += fmt::format("{} ", option.name);
  }
  append_wrapped(out, names, 2);
}

// The first line: what it does.
void append_head(HelpText& out, std::string_view what, std::string_view summary) {
  append_wrapped(out, fmt::format("{} - {}", what, summary), 0);
}

void append_examples(HelpText& out, std::span<const ExampleDef> examples) {
  for (const ExampleDef& example : examples) {
    out += "  " + std::string(example.command) + "\n";
    if (!example.help.empty()) append_wrapped(out, example.help, 6);
  }
}

std::size_t name_column(std::span<const CommandSummary> rows) {
  std::size_t widest = 0;
  for (const CommandSummary& row : rows) widest = std::max(widest, columns(row.name));
  return std::min(widest + 4, kMaxNameColumn);
}

void append_table(HelpText& out, std::string_view title, std::span<const CommandSummary> rows) {
  if (rows.empty()) return;
  out += "\n" + std::string(title) + ":\n";
  const std::size_t column = name_column(rows);
  for (const CommandSummary& row : rows) append_row(out, row.name, row.summary, column);
}

void append_arguments(HelpText& out, const ActionDef& action) {
  std::vector<CommandSummary> rows;
  for (const ArgumentDef& argument : action.arguments) {
    std::string text(argument.help);
    if (!argument.default_value.empty()) text += " [" + std::string(argument.default_value) + "]";
    if (!text.empty()) rows.push_back({shown_name(argument), text});
  }
  append_table(out, "Arguments", rows);
}

void append_records(HelpText& out, const ActionDef& action) {
  if (action.records.empty()) return;
  out += "\nRecords, by their \"type\" in JSON:\n";
  for (const RecordDef& record : action.records) {
    std::string text(record.help);
    std::string fields;
    for (const FieldDef& field : record.fields) {
      fields += (fields.empty() ? "" : ", ") + std::string(field.name);
    }
    if (!fields.empty()) text += (text.empty() ? "" : "; ") + ("fields: " + fields);
    append_row(out, record.type, text, kOptionColumn);
  }
}

void append_totals(HelpText& out, const ActionDef& action, const OptionSet& options) {
  if (action.totals.empty()) return;
  const bool has_end = options.by_name("json") != nullptr;
  append_wrapped(
      out,
      fmt::format("\nTotals, in the {}{}:", has_end ? "\"end\" record" : "report of --stats",
                  options.by_name("metrics") != nullptr ? " and by --metrics" : ""),
      0);
  for (const TotalDef& total : action.totals) {
    append_row(out, total.name, total.help, kOptionColumn);
  }
}

std::string first_sentence(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of(";(")));
}

std::vector<CommandSummary> action_rows(std::span<const ActionDef> actions) {
  std::vector<CommandSummary> rows;
  for (const ActionDef& action : actions) {
    std::string summary(action.summary);
    if (action.may_be_omitted) summary += " (may be omitted)";
    rows.push_back({std::string(action.name), summary});
  }
  return rows;
}

}  // namespace

void append_option(HelpText& out, const OptionDef& option) {
  append_row(out, option_words(option), option_text(option), kOptionColumn);
}

std::string action_help(std::string_view command, const ActionDef& action, std::size_t width) {
  HelpText out(width);
  append_head(out, invocation(command, action), action.summary);
  out += "\n";
  append_wrapped(out, "Usage: " + usage(command, action), 0);
  if (!action.examples.empty()) {
    out += "\nExamples:\n";
    append_examples(out, action.examples);
  }
  if (!action.description.empty()) {
    out += "\n";
    append_wrapped(out, action.description, 0);
  }
  append_arguments(out, action);
  const OptionSet options = effective_options(action);
  append_options(out, "Options", options.own());
  append_names(out, options.common());
  append_records(out, action);
  append_totals(out, action, options);
  if (!action.name.empty()) {
    out += "\n";
    append_wrapped(out,
                   "Options may also be set by NETKIT_<COMMAND>_<OPTION> and in the configuration "
                   "file; see 'netkit help' and 'netkit help exit-status'.",
                   0);
  }
  return out.text();
}

namespace {

// On one line where it can be: without what is after a comma, and beside its name however long that
// is.
void append_brief_option(HelpText& out, const OptionDef& option) {
  const std::string words = option_words(option);
  const std::string value =
      option.default_value.empty() ? "" : fmt::format(" [{}]", option.default_value);
  std::string text = first_sentence(option.help);
  const std::size_t column = std::max(kOptionColumn, columns(words) + 4);
  if (column + columns(text) + value.size() > out.width()) text = text.substr(0, text.find(", "));
  text += value;
  append_row(out, words, text, column + columns(text) > out.width() ? kOptionColumn : column);
}

}  // namespace

std::string brief_action_help(std::string_view command, const ActionDef& action,
                              std::size_t width) {
  constexpr std::size_t kExamples = 2;
  HelpText out(width);
  append_head(out, invocation(command, action), action.summary);
  append_wrapped(out, "Usage: " + usage(command, action), 0);
  append_examples(out,
                  std::span(action.examples).first(std::min(action.examples.size(), kExamples)));
  const OptionSet options = effective_options(action);
  for (const OptionDef& option : options.own()) append_brief_option(out, option);
  return out.text();
}

std::string command_help(std::string_view command, std::string_view summary,
                         std::span<const ActionDef> actions, std::size_t width) {
  if (actions.size() == 1) return action_help(command, actions.front(), width);
  HelpText out(width);
  append_head(out, fmt::format("netkit {}", command), summary);
  append_wrapped(out, fmt::format("\nUsage: netkit {} ACTION [OPTIONS] [ARGUMENTS]", command), 0);
  out += "\nExamples:\n";
  for (const ActionDef& action : actions) {
    append_examples(out, std::span(action.examples).first(action.examples.empty() ? 0 : 1));
  }
  append_table(out, "Actions", action_rows(actions));
  append_wrapped(out,
                 fmt::format("\nEach has its own help: netkit {} {} --help", command,
                             actions.empty() ? "ACTION" : actions.front().name),
                 0);
  for (const ActionDef& action : actions) {
    if (action.may_be_omitted) out += "\n" + action_help(command, action, width);
  }
  return out.text();
}

std::string brief_command_help(std::string_view command, std::string_view summary,
                               std::span<const ActionDef> actions, std::size_t width) {
  if (actions.size() == 1) return brief_action_help(command, actions.front(), width);
  constexpr std::string_view kUsage = "Usage: ";
  HelpText out(width);
  append_head(out, fmt::format("netkit {}", command), summary);
  for (const ActionDef& action : actions) {
    out += &action == &actions.front() ? kUsage : "       ";
    append_wrapped(out, usage(command, action), kUsage.size(), kUsage.size());
  }
  return out.text();
}

std::string overview(std::span<const CommandSummary> commands,
                     std::span<const CommandSummary> builtins,
                     std::span<const CommandSummary> external, std::size_t width) {
  HelpText out(width);
  append_wrapped(out, "netkit - a suite of network tools, one per command", 0);
  out += "\n";
  append_wrapped(out, "Usage: netkit COMMAND [ACTION] [OPTIONS] [ARGUMENTS]", 0);
  out +=
      "\nExamples:\n"
      "  netkit echo serve :8080\n"
      "  netkit echo ping localhost:8080 -c 5\n"
      "  netkit echo --help\n";
  append_table(out, "Commands", commands);
  append_table(out, "Commands from PATH", external);
  append_table(out, "About netkit itself", builtins);
  out += "\nOptions before the command:\n";
  append_row(out, "--plugin-dir DIR", "look for plugins there first (repeatable)", kOptionColumn);
  append_row(out, "--config FILE", "read this configuration file instead of the usual ones",
             kOptionColumn);
  append_row(out, "-V, --version", "print the version", kOptionColumn);
  append_row(out, "-h, --help", "print this help; -h is the short form", kOptionColumn);
  append_wrapped(out,
                 "\nOptions are also taken from NETKIT_<COMMAND>_<OPTION> and from "
                 "$XDG_CONFIG_HOME/netkit/config, one section per command; 'netkit config' shows "
                 "the values in effect.",
                 0);
  std::string topics = "\nTopics, for 'netkit help TOPIC':";
  for (const HelpTopic& topic : help_topics()) topics += fmt::format(" {}", topic.name);
  append_wrapped(out, topics, 0);
  append_wrapped(
      out,
      "Manual pages: netkit(1), netkit-recipes(7), and netkit-migrate(7) if you come from "
      "nc, socat or curl.",
      0);
  return out.text();
}

std::string brief_overview(std::span<const CommandSummary> commands, std::size_t width) {
  HelpText out(width);
  append_wrapped(out, "Usage: netkit COMMAND [ACTION] [OPTIONS] [ARGUMENTS]", 0);
  std::string names = "Commands:";
  for (const CommandSummary& command : commands) names += " " + command.name;
  append_wrapped(out, names, 2);
  append_wrapped(out, "See 'netkit --help', 'netkit COMMAND --help'.", 0);
  return out.text();
}

std::string with_help_hint(std::string_view sentence, std::string_view command,
                           std::string_view action) {
  std::string words = "netkit";
  for (const std::string_view word : {command, action}) {
    if (!word.empty()) words += fmt::format(" {}", word);
  }
  return fmt::format("{}{} see '{} --help'", sentence, sentence.ends_with('?') ? "" : ";", words);
}

}  // namespace netkit
