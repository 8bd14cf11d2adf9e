#include "cli/argument_check.hpp"

#include "cli/value_check.hpp"

#include <algorithm>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// Takes the words of one value from the front.
void take_value(const ArgumentDef& argument, std::vector<std::string>& rest) {
  if (argument.kind == ValueKind::address) {
    take_address(rest, AddressRole::server);
    return;
  }
  try {
    check_argument(argument, rest.front());
  } catch (const UsageError& error) {
    throw UsageError(std::string(argument.name) + ": " + error.what());
  }
  rest.erase(rest.begin());
}

std::size_t required_after(const ActionDef& action, std::size_t index) {
  const auto after = action.arguments.begin() + static_cast<std::ptrdiff_t>(index) + 1;
  return static_cast<std::size_t>(
      std::count_if(after, action.arguments.end(),
                    [](const ArgumentDef& argument) { return !argument.optional; }));
}

// The first argument that is needed, from the one at `index` on, and that `given` words leave out.
std::string_view first_missing(const ActionDef& action, std::size_t index, std::size_t given) {
  auto argument = action.arguments.begin() + static_cast<std::ptrdiff_t>(index);
  for (; argument->optional || given > 0; ++argument) {
    if (!argument->optional) --given;
  }
  return argument->name;
}

}  // namespace

void check_arguments(const ActionDef& action, const std::vector<std::string>& arguments,
                     const std::string& hint) {
  std::vector<std::string> rest = arguments;
  for (std::size_t i = 0; i < action.arguments.size(); ++i) {
    const ArgumentDef& argument = action.arguments[i];
    const std::size_t kept = required_after(action, i);
    if (rest.size() <= kept) {
      if (argument.optional) continue;
      throw UsageError("needs " + argument_synopsis(action) + ": " +
                       std::string(first_missing(action, i, rest.size())) + " is missing" + hint);
    }
    take_value(argument, rest);
    while (argument.repeatable && rest.size() > kept) take_value(argument, rest);
  }
  if (rest.empty()) return;
  const std::string synopsis = argument_synopsis(action);
  throw UsageError("'" + escaped_text(rest.front()) + "' is one argument too many (" +
                   (synopsis.empty() ? "it takes none" : "it takes " + synopsis) + ")");
}

std::string argument_synopsis(const ActionDef& action) {
  std::string out;
  for (const ArgumentDef& argument : action.arguments) {
    if (!out.empty()) out += ' ';
    std::string name(argument.name);
    if (argument.repeatable && !name.ends_with("…")) name += "…";
    out += argument.optional ? "[" + name + "]" : name;
  }
  return out;
}

}  // namespace netkit
