// What `netkit sse` offers on the command line.
#pragma once

#include <vector>

#include <netkit/cli/option.hpp>

namespace netkit::sse {

std::vector<ActionDef> make_actions();

}  // namespace netkit::sse
