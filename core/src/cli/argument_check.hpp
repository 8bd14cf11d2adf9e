// The positional arguments of an action, taken by what it declares.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Reads as many words for an argument as it takes: an address is one word or `HOST PORT`, kept as
// one; a repeatable one takes all that the ones after it do not need; one that is left out has its
// default. Throws UsageError; `hint` is said with one that is missing. Opens nothing.
NETKIT_API std::map<std::string, Values::Value, std::less<>> take_arguments(
    const ActionDef& action, const std::vector<std::string>& arguments,
    const std::string& hint = {});

// `ADDRESS[,ADDRESS…]`
NETKIT_API std::string shown_name(const ArgumentDef& argument);
// `ADDRESS [TEXT…]`
NETKIT_API std::string argument_synopsis(const ActionDef& action);

}  // namespace netkit
