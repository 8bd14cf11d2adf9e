#include "cli/argument_check.hpp"

#include "cli/value_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// Takes the words of one value from the front; the value as one word.
std::string take_value(const ArgumentDef& argument, std::vector<std::string>& rest) {
  const std::string word = rest.front();
  const bool is_list = argument.kind == ValueKind::addresses && word.find(',') != word.npos;
  if (is_address(argument.kind) && !is_list) {
    const std::size_t before = rest.size();
    const AddressSpec address = take_address(rest, role_of(argument.kind));
    return before - rest.size() > 1 ? address.to_string() : word;
  }
  try {
    check_value({.name = argument.name, .kind = argument.kind}, word);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", argument.name, error.what()));
  }
  rest.erase(rest.begin());
  return word;
}

std::size_t required_after(const ActionDef& action, std::size_t index) {
  const auto after = action.arguments.begin() + static_cast<std::ptrdiff_t>(index) + 1;
  return static_cast<std::size_t>(
      std::count_if(after, action.arguments.end(),
                    [](const ArgumentDef& argument) { return !argument.optional; }));
}

// The first argument that is needed, from the one at `index` on, and that `given` words leave out.
std::string first_missing(const ActionDef& action, std::size_t index, std::size_t given) {
  auto argument = action.arguments.begin() + static_cast<std::ptrdiff_t>(index);
  for (; argument->optional || given > 0; ++argument) {
    if (!argument->optional) --given;
  }
  return shown_name(*argument);
}

}  // namespace

std::map<std::string, Values::Value, std::less<>> take_arguments(
    const ActionDef& action, const std::vector<std::string>& arguments, const std::string& hint) {
  std::map<std::string, Values::Value, std::less<>> taken;
  std::vector<std::string> rest = arguments;
  for (std::size_t i = 0; i < action.arguments.size(); ++i) {
    const ArgumentDef& argument = action.arguments[i];
    Values::Value& value = taken[std::string(argument.name)];
    value.kind = argument.kind;
    const std::size_t kept = required_after(action, i);
    if (rest.size() <= kept) {
      if (!argument.optional) {
        throw UsageError(fmt::format("needs {}: {} is missing{}", argument_synopsis(action),
                                     first_missing(action, i, rest.size()), hint));
      }
      if (argument.default_value.empty()) continue;
      value.texts = {std::string(argument.default_value)};
      value.origin = Values::Origin::default_value;
      continue;
    }
    value.origin = Values::Origin::command_line;
    do {
      value.texts.push_back(take_value(argument, rest));
    } while (argument.repeatable && rest.size() > kept);
  }
  if (rest.empty()) return taken;
  const std::string synopsis = argument_synopsis(action);
  throw UsageError(fmt::format("'{}' is one argument too many (it takes {})",
                               escaped_text(rest.front()), synopsis.empty() ? "none" : synopsis));
}

std::string shown_name(const ArgumentDef& argument) {
  const std::string name(argument.name);
  return argument.kind == ValueKind::addresses ? name + "[," + name + "…]" : name;
}

std::string argument_synopsis(const ActionDef& action) {
  std::string out;
  for (const ArgumentDef& argument : action.arguments) {
    if (!out.empty()) out += ' ';
    std::string name = shown_name(argument);
    if (argument.repeatable) name += "…";
    out += argument.optional ? "[" + name + "]" : name;
  }
  return out;
}

}  // namespace netkit
