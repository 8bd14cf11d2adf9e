// What the parts of the executable share.
#pragma once

#include "cli/parser.hpp"
#include "plugin/registry.hpp"
#include "util/environment.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netkit {

struct Invocation {
  std::vector<std::filesystem::path> plugin_dirs;
  std::string config;  // empty: the usual files
  HelpWish help = HelpWish::none;
  bool version = false;
  std::vector<std::string> words;  // the command and what follows
};

// Reads `--plugin-dir DIR`, `--config FILE`, `--help`, `-h`, `--version`. Throws UsageError.
Invocation read_invocation(std::span<const std::string> words);

// The state of one invocation, made by main() and passed down. Looks nothing up until it is
// asked.
class App {
 public:
  // Throws UsageError for what stands before the command.
  explicit App(std::vector<std::string> words);

  const Invocation& invocation() const { return invocation_; }
  const Registry& registry() const { return registry_; }
  // The word that errors are reported under; empty until the command is known.
  const std::string& command() const { return command_; }
  void set_command(std::string command) { command_ = std::move(command); }
  // The action, which may have no name; empty until it is known.
  const std::string& action() const { return action_; }
  void set_action(std::string_view action) { action_ = action; }

  // How the options of `command` are to be read; `actions` must outlive it.
  ParseContext parse_context(std::string_view command, std::span<const ActionDef> actions) const;

  // `--config FILE` after the command; before it, it is the invocation's.
  void use_config(std::string path) { invocation_.config = std::move(path); }
  // The configuration files that are looked for, the most important first.
  std::vector<std::filesystem::path> config_paths() const;

  // A plugin that stays loaded until the end, and its actions. Throws PluginError.
  Plugin& plugin(const std::string& name);

 private:
  Invocation invocation_;
  Registry registry_;
  std::string command_;
  std::string action_;
  std::vector<std::pair<std::string, PluginPtr>> loaded_;
};

// Writes to standard output and throws Error (74) where that fails.
void print(std::string_view text);

// The columns that help may take: those of the window, within reason.
std::size_t help_width();
// As print(), with headings in bold where there are colours.
void print_help(std::string_view text);

}  // namespace netkit
