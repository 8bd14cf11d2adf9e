// The declarations of echo's actions: parsing, help, completion and the checks of the man page come
// from them.
#pragma once

#include <vector>

#include <netkit/cli/option.hpp>

namespace netkit::echo {

std::vector<ActionDef> make_actions();

}  // namespace netkit::echo
