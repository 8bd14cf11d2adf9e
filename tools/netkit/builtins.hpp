// The words of netkit itself, declared like a plugin's, so that parsing, help and completion come
// from the same code.
#pragma once

#include "app.hpp"
#include "cli/completion.hpp"

#include <span>
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

// `netkit __complete WORDS…`: for the shells, so it is neither listed nor completed itself.
int run_complete(App& app, std::span<const std::string> words);
// What it prints.
Completion complete_words(App& app, std::span<const std::string> words);

}  // namespace netkit
