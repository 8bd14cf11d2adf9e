// What `netkit broadcast` can be told to do.
#pragma once

#include <vector>

#include <netkit/cli/option.hpp>

namespace netkit::broadcast {

std::vector<ActionDef> make_actions();

}  // namespace netkit::broadcast
