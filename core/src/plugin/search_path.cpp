#include "plugin/registry.hpp"
#include "util/environment.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

#include <netkit/plugin/abi.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "netkit-";

bool is_executable_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<fs::path> plugin_folders(const SearchPathInput& input) {
  std::vector<fs::path> candidates = input.named;
  const std::string path = input.environment("NETKIT_PLUGIN_PATH").value_or("");
  for (fs::path& folder : absolute_folders(path)) candidates.push_back(std::move(folder));
  if (const fs::path data = user_folder(UserFolder::data, input.environment); !data.empty()) {
    candidates.push_back(data / "netkit" / "plugins" / std::to_string(kPluginAbi));
  }
  if (!input.installed.empty()) candidates.push_back(input.installed);

  std::vector<fs::path> folders;
  for (const fs::path& candidate : candidates) {
    std::error_code missing;
    const fs::path folder = fs::canonical(candidate, missing);
    if (missing || !fs::is_directory(folder, missing)) continue;
    if (std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
  }
  return folders;
}

fs::path executable_folder() {
  std::error_code unknown;
  return fs::read_symlink("/proc/self/exe", unknown).parent_path();
}

std::vector<ExternalCommand> external_commands(std::string_view path_variable) {
  std::vector<ExternalCommand> found;
  for (const fs::path& folder : absolute_folders(path_variable)) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (!file.starts_with(kPrefix)) continue;
      const std::string name = file.substr(kPrefix.size());
      const bool known = std::ranges::find(found, name, &ExternalCommand::name) != found.end();
      if (known || !is_command_name(name) || !is_executable_file(entry->path())) continue;
      found.push_back({name, entry->path()});
    }
  }
  std::ranges::sort(found, {}, &ExternalCommand::name);
  return found;
}

std::optional<ExternalCommand> find_external_command(std::string_view path_variable,
                                                     std::string_view name) {
  if (!is_command_name(name)) return std::nullopt;
  for (const fs::path& folder : absolute_folders(path_variable)) {
    const fs::path path = folder / (std::string(kPrefix) + std::string(name));
    if (is_executable_file(path)) return ExternalCommand{std::string(name), path};
  }
  return std::nullopt;
}

bool is_command_name(std::string_view name) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 31 || !letter_or_digit(name.front())) return false;
  return std::ranges::all_of(name,
                             [&](char c) { return letter_or_digit(c) || c == '-' || c == '_'; });
}

}  // namespace netkit
