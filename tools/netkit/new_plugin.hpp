// `netkit plugins new`: a plugin to begin with.
#pragma once

#include "plugin/registry.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace netkit {

// Throws UsageError where no plugin can have this name: it is malformed (the name becomes part of
// identifiers, so '-' is out), a word of netkit itself, or a command that `registry` has.
void check_new_name(const Registry& registry, const std::string& name);

// Writes the skeleton of the plugin `name` into `folder`, which it makes and which must not exist
// (UsageError). Returns the paths of the files. Throws SystemError, and leaves nothing then.
std::vector<std::filesystem::path> write_plugin(const std::string& name,
                                                const std::filesystem::path& folder);

}  // namespace netkit
