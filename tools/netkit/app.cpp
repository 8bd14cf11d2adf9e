#include "app.hpp"

#include "linked_plugins.hpp"
#include "plugin/search_path.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <unistd.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

Registry make_registry(const Invocation& invocation) {
  return {plugin_folders({.named = invocation.plugin_dirs,
                          .environment = environment_variable,
                          .installed = executable_folder() / NETKIT_BIN_TO_PLUGINS}),
          linked_plugins()};
}

}  // namespace

App::App(std::vector<std::string> words)
    : invocation_(read_invocation(words)), registry_(make_registry(invocation_)) {}

ParseContext App::parse_context(std::string_view command,
                                std::span<const ActionDef> actions) const {
  ParseContext context{.command = command, .actions = actions, .environment = environment_variable};
  context.config = [this](const std::string& named) {
    const std::string& path = named.empty() ? invocation_.config : named;
    if (!path.empty()) return std::vector<ConfigFile>{ConfigFile::read(path)};
    return read_config_files(config_candidates(environment_variable));
  };
  context.is_command = [this](std::string_view section) {
    return registry_.find(section).has_value();
  };
  return context;
}

std::vector<std::filesystem::path> App::config_paths() const {
  if (!invocation_.config.empty()) return {invocation_.config};
  return config_candidates(environment_variable);
}

Plugin& App::plugin(const std::string& name) {
  const auto at = std::ranges::find(loaded_, name, &std::pair<std::string, PluginPtr>::first);
  if (at != loaded_.end()) return *at->second;
  loaded_.emplace_back(name, registry_.load(name));
  return *loaded_.back().second;
}

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = ::secure_getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

void print(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
    throw SystemError(error, "cannot write to standard output", ExitStatus::output);
  }
}

}  // namespace netkit
