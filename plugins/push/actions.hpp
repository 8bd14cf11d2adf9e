// The declarations of serve, subscribe and status: options, records, examples.
#pragma once

#include <vector>

#include <netkit/cli/option.hpp>

namespace netkit::push {

std::vector<ActionDef> make_actions();

}  // namespace netkit::push
