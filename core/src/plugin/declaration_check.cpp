#include "cli/checks.hpp"
#include "cli/option_set.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/registry.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::string option_problem(const OptionDef& option) {
  if (!is_command_name(option.name)) return "is not an option name";
  if (option.help.empty()) return "has no help";
  const bool chooses = option.kind == ValueKind::choice;
  if (chooses && option.choices.empty()) return "has no choices";
  if (option.default_value.empty()) return {};
  try {
    check_value(option, option.default_value);
  } catch (const UsageError& error) {
    return std::string("has an invalid default: ") + error.what();
  }
  return {};
}

// What it needs and excludes has to be there to be given.
std::string reference_problem(const OptionSet& all, const OptionDef& option) {
  for (const std::string_view needed : option.needs) {
    if (all.by_name(needed) == nullptr)
      return fmt::format("needs --{}, which does not exist", needed);
  }
  for (const std::string_view other : option.excludes) {
    // A common option may exclude one that does not fit the action.
    const bool own = std::ranges::any_of(
        all.own(), [&](const OptionDef& one) { return one.name == option.name; });
    if (own && all.by_name(other) == nullptr) {
      return fmt::format("excludes --{}, which does not exist", other);
    }
  }
  return {};
}

std::string options_problem(const ActionDef& action) {
  std::set<std::string_view> names;
  std::set<char> letters;
  for (const OptionDef& option : action.options) {
    const std::string where = "--" + std::string(option.name) + " ";
    if (!names.insert(option.name).second) return where + "is declared twice";
    if (option.letter != 0 && !letters.insert(option.letter).second) {
      return where + "has a letter that another option has";
    }
  }
  const OptionSet all = effective_options(action);
  for (const OptionDef& option : all.all()) {
    std::string problem = option_problem(option);
    if (problem.empty()) problem = reference_problem(all, option);
    if (!problem.empty()) return fmt::format("--{} {}", option.name, problem);
  }
  return {};
}

std::string arguments_problem(const ActionDef& action) {
  const auto repeatable = std::ranges::count_if(action.arguments, &ArgumentDef::repeatable);
  if (repeatable > 1) return "has two repeatable arguments";
  bool after_optional = false;
  std::set<std::string_view> names;
  for (const ArgumentDef& argument : action.arguments) {
    if (!names.insert(argument.name).second) {
      return fmt::format("has two arguments {}", argument.name);
    }
    const bool in_capitals = std::ranges::all_of(
        argument.name, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
    if (!in_capitals) return fmt::format("has an argument '{}' (write ADDRESS)", argument.name);
    if (after_optional && !argument.optional)
      return "has a required argument after an optional one";
    after_optional = argument.optional;
  }
  return {};
}

std::string totals_problem(const ActionDef& action) {
  std::set<std::string_view> names;
  std::set<std::pair<std::string_view, std::string_view>> labels;
  for (const TotalDef& total : action.totals) {
    const bool in_snake_case = !total.name.empty() && std::ranges::all_of(total.name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!in_snake_case) return fmt::format("has a total '{}' (write_it_so)", total.name);
    if (!names.insert(total.name).second) return fmt::format("has two totals {}", total.name);
    if (total.help.empty()) return fmt::format("total {} has no help", total.name);
    if (total.metric == nullptr) continue;
    if (!labels.insert({total.metric->name, total.label_value}).second) {
      return fmt::format("total {} is the same metric as another", total.name);
    }
  }
  return {};
}

}  // namespace

std::string declaration_problem(std::span<const ActionDef> actions) {
  if (actions.empty()) return "declares no action";
  std::set<std::string_view> names;
  std::size_t may_be_omitted = 0;
  for (const ActionDef& action : actions) {
    const std::string where = "action " + std::string(action.name) + ": ";
    if (!is_command_name(action.name)) return where + "is not an action name";
    if (!names.insert(action.name).second) return where + "is declared twice";
    if (action.summary.empty()) return where + "has no summary";
    if (std::string wrong = options_problem(action); !wrong.empty()) return where + wrong;
    if (std::string wrong = arguments_problem(action); !wrong.empty()) return where + wrong;
    if (std::string wrong = totals_problem(action); !wrong.empty()) return where + wrong;
    if (action.make == nullptr) return where + "has no factory (ActionDef::make)";
    may_be_omitted += action.may_be_omitted ? 1 : 0;
  }
  if (may_be_omitted > 1) return "has two actions that may be omitted";
  return {};
}

}  // namespace netkit
