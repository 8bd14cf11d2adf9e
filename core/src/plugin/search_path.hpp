// Where plugins and `netkit-NAME` executables are looked for. Never the current folder.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

struct SearchPathInput {
  std::vector<std::filesystem::path> named{};  // by --plugin-dir; relative ones are taken as meant
  std::function<std::optional<std::string>(const std::string&)> environment{};
  std::filesystem::path installed{};  // the installation's own folder
};

// `--plugin-dir`, NETKIT_PLUGIN_PATH, $XDG_DATA_HOME/netkit/plugins/<abi> (~/.local/share), the
// installation's; each once. Empty and relative entries of the variables are left out, and so are
// folders that do not exist. Any thread.
NETKIT_API std::vector<std::filesystem::path> plugin_folders(const SearchPathInput& input);

// The folder of the running executable.
NETKIT_API std::filesystem::path executable_folder();

struct ExternalCommand {
  std::string name;
  std::filesystem::path path;
};

// Executables `netkit-NAME` in the absolute folders of a PATH, each name once, the first found.
NETKIT_API std::vector<ExternalCommand> external_commands(std::string_view path_variable);
NETKIT_API std::optional<ExternalCommand> find_external_command(std::string_view path_variable,
                                                                std::string_view name);

// Lower-case letters, digits, `-` and `_`, beginning with a letter or digit, at most 31.
NETKIT_API bool is_command_name(std::string_view name);

// The absolute folders in a list separated by colons.
std::vector<std::filesystem::path> absolute_folders(std::string_view list);

}  // namespace netkit
