// The commands there are, from notes and folders; no plugin is loaded for them.
#pragma once

#include "app.hpp"
#include "cli/help.hpp"

#include <string>
#include <vector>

namespace netkit {

std::vector<CommandSummary> plugin_rows(const App& app);  // those that may be loaded
std::vector<CommandSummary> builtin_rows();
std::vector<CommandSummary> external_rows(const App& app);  // `netkit-NAME` on PATH, with its path

// The names of all three, for "did you mean".
std::vector<std::string> known_words(const App& app);

// What `netkit --help` prints.
std::string overview_text(const App& app);

}  // namespace netkit
