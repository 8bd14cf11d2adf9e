// Whether there are as many arguments as the action declares, each of its kind.
#pragma once

#include <string>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Reads as many words for an argument as it takes: an address is one word or `HOST PORT`; a
// repeatable one takes all that the ones after it do not need. Throws UsageError; `hint` is said
// with one that is missing. Opens nothing.
NETKIT_API void check_arguments(const ActionDef& action, const std::vector<std::string>& arguments,
                                const std::string& hint = {});

// `ADDRESS [TEXT…]`
NETKIT_API std::string argument_synopsis(const ActionDef& action);

}  // namespace netkit
