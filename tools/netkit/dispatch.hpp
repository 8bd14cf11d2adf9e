// From the words of the command line to what they ask for.
#pragma once

#include "app.hpp"

#include <span>
#include <string>

#include <netkit/cli/option.hpp>

namespace netkit {

// Does what the words say and returns the exit status. Throws Error; sets app.command() as soon as
// it is known. Nothing but the command that is asked for is loaded.
int dispatch(App& app);

// Throw UsageError with "did you mean".
[[noreturn]] void refuse_command(App& app, const std::string& word);
const ActionDef& find_action(std::span<const ActionDef> actions, const std::string& word);

}  // namespace netkit
