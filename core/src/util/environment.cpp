#include "util/environment.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace netkit {

namespace fs = std::filesystem;

std::optional<std::string> environment_variable(const std::string& name) {
  const char* const value = ::secure_getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::vector<fs::path> absolute_folders(std::string_view list) {
  std::vector<fs::path> folders;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(':', at), list.size());
    fs::path folder(list.substr(at, end - at));
    if (folder.is_absolute()) folders.push_back(std::move(folder));
    at = end + 1;
  }
  return folders;
}

fs::path user_folder(UserFolder kind, const Environment& environment) {
  constexpr std::array<std::pair<const char*, const char*>, 3> kFolders{
      {{"XDG_CONFIG_HOME", ".config"},
       {"XDG_DATA_HOME", ".local/share"},
       {"XDG_STATE_HOME", ".local/state"}}};
  const auto& [variable, below_home] = kFolders.at(static_cast<std::size_t>(kind));
  fs::path named = environment(variable).value_or("");
  if (named.is_absolute()) return named;
  const fs::path home = environment("HOME").value_or("");
  return home.is_absolute() ? home / below_home : fs::path();
}

}  // namespace netkit
