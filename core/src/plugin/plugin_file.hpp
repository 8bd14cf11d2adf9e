// What can be told about a plugin's file without running any of its code.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <netkit/plugin/abi.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct PluginFile {
  std::string name;     // of the command: the file's name without .so
  std::string path;     // empty: linked into the executable
  std::string version;  // of the plugin, from its note; empty where there is none
  std::string summary;
  // Why it is refused, to stand after its path: "has ABI 2; wanted is 1". Empty: it may be loaded.
  std::string problem{};
};

// Checks, in this order, and stops at the first that fails: it is an ELF shared object for this
// machine, has the note, the ABI number, the build tag, its file's name, no reserved word's, and
// file and folder are not writable by others. Throws nothing. Any thread.
NETKIT_API PluginFile inspect_plugin(const std::string& path);

// Why the file of a plugin, or of a part of one, cannot be trusted: it or its folder is writable by
// others. Empty: it can. Any thread.
std::string ownership_problem(const std::string& path);

// The words of the command line that no plugin can take.
NETKIT_API std::span<const std::string_view> reserved_words();

}  // namespace netkit
