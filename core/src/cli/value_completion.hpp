// Candidates for the value of an option or argument.
#pragma once

#include "cli/completion.hpp"

#include <string_view>

#include <netkit/cli/option.hpp>

namespace netkit {

// All that may be put there; those that do not begin with `typed` may be among them.
Completion complete_value(const OptionDef& option, std::string_view typed);

}  // namespace netkit
