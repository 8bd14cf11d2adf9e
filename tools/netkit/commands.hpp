// The commands there are (netkit's own words, declared like a plugin's; those of plugins, from
// their notes; executables on PATH), and the way from the words of the command line to one of them.
#pragma once

#include "app.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>

namespace netkit {

struct Builtin {
  std::string_view name;
  std::string_view summary;
  std::vector<ActionDef> actions;
  int (*run)(App& app, const ActionDef& action, const Values& values);
};

// In the order of help. Static storage.
std::span<const Builtin> builtins();
const Builtin* find_builtin(std::string_view name);  // null: none

// Each in the file of its name; they return the exit status and throw Error.
int run_help(App& app, const ActionDef& action, const Values& values);
int run_plugins(App& app, const ActionDef& action, const Values& values);
int run_config(App& app, const ActionDef& action, const Values& values);
int run_shell(App& app, const ActionDef& action, const Values& values);
int run_completion(App& app, const ActionDef& action, const Values& values);

// The history of the shell's prompt, whose addresses are completed.
inline constexpr std::string_view kShellHistory = "shell_history";

// `netkit __complete WORDS…`: for the shells, so it is neither listed nor completed itself.
int run_complete(App& app, std::span<const std::string> words);
// What it prints.
Completion complete_words(App& app, std::span<const std::string> words);

std::vector<CommandSummary> plugin_rows(const App& app);  // those that may be loaded
std::vector<CommandSummary> builtin_rows();
std::vector<CommandSummary> external_rows(const App& app);  // `netkit-NAME` on PATH, with its path

// The names of all three, for "did you mean".
std::vector<std::string> known_words(const App& app);

// What `netkit --help` prints.
std::string overview_text(const App& app);

// Becomes the executable, with `words` as its arguments, default signal actions and no signal
// blocked. Returns only where there is no such executable; throws SystemError where it cannot be
// run.
void run_external(const std::string& name, std::span<const std::string> words);

// Runs the command line and returns the exit status. Throws Error; sets app.command() as soon as
// it is known. Nothing but the command that is asked for is loaded.
int dispatch(App& app);

// Throw UsageError with "did you mean".
[[noreturn]] void refuse_command(App& app, const std::string& word);
const ActionDef& find_action(std::span<const ActionDef> actions, const std::string& word);

}  // namespace netkit
