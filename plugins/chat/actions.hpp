// The declarations of `netkit chat`: actions, options, records, examples.
#pragma once

#include <vector>

#include <netkit/cli/option.hpp>

namespace netkit::chat {

std::vector<ActionDef> make_actions();

}  // namespace netkit::chat
