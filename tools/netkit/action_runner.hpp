// Runs one action of a plugin.
#pragma once

#include "app.hpp"

#include <span>
#include <string>

#include <netkit/plugin/plugin.hpp>

namespace netkit {

// Parses, configures, runs; the exit status. Throws Error for everything before the run. Ends the
// process by a signal where the run was ended by one that says so (SIGPIPE).
int run_action(App& app, const std::string& command, Plugin& plugin, const ActionDef& action,
               std::span<const std::string> words);

}  // namespace netkit
