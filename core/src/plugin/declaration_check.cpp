#include "plugin/declaration_check.hpp"

#include "cli/option_set.hpp"
#include "cli/value_check.hpp"
#include "plugin/search_path.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::string option_problem(const OptionDef& option) {
  if (!is_command_name(option.name)) return "is no option name";
  if (option.help.empty()) return "has no help";
  const bool chooses = option.kind == ValueKind::choice;
  if (chooses && option.choices.empty()) return "has no choices";
  if (option.default_value.empty()) return {};
  try {
    check_value(option, option.default_value);
  } catch (const UsageError& error) {
    return std::string("has a default that is wrong: ") + error.what();
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
    const std::string problem = option_problem(option);
    if (!problem.empty()) return "--" + std::string(option.name) + " " + problem;
  }
  return {};
}

std::string arguments_problem(const ActionDef& action) {
  const auto repeatable = std::ranges::count_if(action.arguments, &ArgumentDef::repeatable);
  if (repeatable > 1) return "has two repeatable arguments";
  bool after_optional = false;
  for (const ArgumentDef& argument : action.arguments) {
    if (after_optional && !argument.optional)
      return "has a required argument after an optional one";
    after_optional = argument.optional;
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
    if (!is_command_name(action.name)) return where + "is no action name";
    if (!names.insert(action.name).second) return where + "is declared twice";
    if (action.summary.empty()) return where + "has no summary";
    if (std::string wrong = options_problem(action); !wrong.empty()) return where + wrong;
    if (std::string wrong = arguments_problem(action); !wrong.empty()) return where + wrong;
    may_be_omitted += action.may_be_omitted ? 1 : 0;
  }
  if (may_be_omitted > 1) return "has two actions that may be left out";
  return {};
}

}  // namespace netkit
