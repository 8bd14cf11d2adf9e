#include "dispatch.hpp"

#include "action_runner.hpp"
#include "builtins.hpp"
#include "cli/help.hpp"
#include "command_names.hpp"
#include "external.hpp"

#include <algorithm>
#include <unistd.h>

#include <netkit/util/error.hpp>
#include <netkit/util/suggest.hpp>
#include <netkit/util/text.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

using Words = std::span<const std::string>;

std::string listed(std::span<const ActionDef> actions) {
  std::string out;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (i > 0) out += i + 1 == actions.size() ? " or " : ", ";
    out += actions[i].name;
  }
  return out;
}

// An action and the words that are its own.
struct Selection {
  const ActionDef* action = nullptr;  // null: the words name none
  std::vector<std::string> words;
};

// The first word names the action. Of a command whose action may be left out it may be missing; of
// others, options may stand before it.
Selection select_action(std::span<const ActionDef> actions, Words words) {
  Selection selection{nullptr, {words.begin(), words.end()}};
  std::vector<std::string>& rest = selection.words;
  const auto omitted = std::ranges::find_if(actions, &ActionDef::may_be_omitted);
  if (omitted != actions.end()) selection.action = &*omitted;
  const bool may_come_later =
      selection.action == nullptr && !rest.empty() && rest.front().starts_with('-');
  for (auto word = rest.begin(); word != rest.end() && *word != "--"; ++word) {
    const auto named = std::ranges::find(actions, *word, &ActionDef::name);
    if (named != actions.end() && !word->empty()) {
      selection.action = &*named;
      rest.erase(word);
      break;
    }
    if (!may_come_later) break;
  }
  return selection;
}

HelpWish command_help_wish(Words words) {
  if (words.empty()) return HelpWish::none;
  if (words.front() == "--help") return HelpWish::full;
  return words.front() == "-h" ? HelpWish::brief : HelpWish::none;
}

// Prints help where the words ask for it.
bool show_help(const std::string& command, std::string_view summary,
               std::span<const ActionDef> actions, Words words) {
  // `netkit echo --help` is about the command, `netkit echo serve --help` about the action.
  HelpWish wish = command_help_wish(words);
  if (wish != HelpWish::none) {
    print(wish == HelpWish::full ? command_help(command, summary, actions)
                                 : brief_command_help(command, summary, actions));
    return true;
  }
  const Selection selection = select_action(actions, words);
  if (selection.action == nullptr) return false;
  wish = help_wish(effective_options(*selection.action), selection.words);
  if (wish == HelpWish::none) return false;
  print(wish == HelpWish::full ? action_help(command, *selection.action)
                               : brief_action_help(command, *selection.action));
  return true;
}

Selection require_action(std::span<const ActionDef> actions, Words words) {
  Selection selection = select_action(actions, words);
  if (selection.action != nullptr) return selection;
  for (const std::string& word : words) {
    if (!word.starts_with('-')) find_action(actions, word);
  }
  throw UsageError("needs an action: " + listed(actions));
}

int run_builtin(App& app, const Builtin& builtin, Words words) {
  app.set_command(std::string(builtin.name));
  if (show_help(app.command(), builtin.summary, builtin.actions, words)) return 0;
  const Selection selection = require_action(builtin.actions, words);
  const ParseContext context{.command = builtin.name, .actions = builtin.actions};
  return builtin.run(app, *selection.action, parse(*selection.action, selection.words, context));
}

int run_plugin(App& app, const PluginFile& file, Words words) {
  Plugin& plugin = app.plugin(file.name);
  app.set_command(file.name);
  if (show_help(file.name, file.summary, plugin.actions(), words)) return 0;
  const Selection selection = require_action(plugin.actions(), words);
  return run_action(app, file.name, plugin, *selection.action, selection.words);
}

// `netkit` alone: at a terminal that is the shell.
int run_nothing(App& app) {
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
    return run_builtin(app, *find_builtin("shell"), {});
  }
  throw UsageError("needs a command; see 'netkit --help'");
}

}  // namespace

int dispatch(App& app) {
  const Invocation& invocation = app.invocation();
  if (invocation.version) {
    print("netkit " NETKIT_VERSION "\n");
    return 0;
  }
  if (invocation.help != HelpWish::none) {
    print(invocation.help == HelpWish::full ? overview_text(app)
                                            : brief_overview(plugin_rows(app)));
    return 0;
  }
  if (invocation.words.empty()) return run_nothing(app);
  const std::string name = invocation.words.front();
  const Words rest = Words(invocation.words).subspan(1);
  if (name == "__complete") return run_complete(app, rest);
  if (const Builtin* builtin = find_builtin(name)) return run_builtin(app, *builtin, rest);
  if (const auto file = app.registry().find(name)) return run_plugin(app, *file, rest);
  run_external(name, rest);
  refuse_command(app, name);
}

void refuse_command(const App& app, const std::string& word) {
  const std::vector<std::string> words = known_words(app);
  const std::vector<std::string_view> views(words.begin(), words.end());
  const std::string hint = did_you_mean(word, views);
  throw UsageError("unknown command '" + escaped_text(word) + "'" +
                   (hint.empty() ? "; see 'netkit --help'" : hint));
}

const ActionDef& find_action(std::span<const ActionDef> actions, const std::string& word) {
  std::vector<std::string_view> names;
  for (const ActionDef& action : actions) {
    if (action.name == word) return action;
    if (!action.name.empty()) names.push_back(action.name);
  }
  const std::string hint = did_you_mean(word, names);
  throw UsageError("unknown action '" + escaped_text(word) + "'" +
                   (hint.empty() ? "; it has " + listed(actions) : hint));
}

}  // namespace netkit
