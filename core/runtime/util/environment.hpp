// What the environment of this process says: its variables, and the user's folders by the XDG Base
// Directory Specification. Any thread as long as none changes the environment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// How variables are looked up.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// getenv(3), but nothing for a program with raised privileges.
NETKIT_API std::optional<std::string> environment_variable(const std::string& name);

// The absolute paths of a list with colons, such as PATH; relative and empty ones are ignored.
NETKIT_API std::vector<std::filesystem::path> absolute_folders(std::string_view list);

enum class UserFolder : std::uint8_t { config, data, state };

// $XDG_CONFIG_HOME, $XDG_DATA_HOME or $XDG_STATE_HOME where that is an absolute path, otherwise
// ~/.config, ~/.local/share or ~/.local/state. Empty without an absolute HOME. Creates nothing.
NETKIT_API std::filesystem::path user_folder(UserFolder kind,
                                             const Environment& environment = environment_variable);

}  // namespace netkit
