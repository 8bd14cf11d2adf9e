// From the words of the command line to what they ask for.
#include "app.hpp"
#include "cli/help.hpp"
#include "commands.hpp"
#include "plugin/registry.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

using Words = std::span<const std::string>;

std::string names_of(std::span<const ActionDef> actions) {
  std::vector<std::string_view> names;
  for (const ActionDef& action : actions) names.push_back(action.name);
  return choice_of(names);
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

// `netkit echo help serve` is `netkit echo serve --help`.
std::vector<std::string> without_help_word(Words words) {
  std::vector<std::string> out(words.begin(), words.end());
  if (out.empty() || out.front() != "help") return out;
  out.erase(out.begin());
  out.emplace_back("--help");
  return out;
}

// `netkit echo --help serve` is `netkit echo serve --help`.
std::vector<std::string> with_help_last(std::span<const ActionDef> actions, Words words) {
  std::vector<std::string> out(words.begin(), words.end());
  const bool names_action = out.size() > 1 && !out[1].empty() &&
                            std::ranges::find(actions, out[1], &ActionDef::name) != actions.end();
  if (names_action && command_help_wish(words) != HelpWish::none) {
    std::rotate(out.begin(), out.begin() + 1, out.end());
  }
  return out;
}

// Prints help where the words ask for it.
bool show_help(const std::string& command, std::string_view summary,
               std::span<const ActionDef> actions, Words typed) {
  // `netkit echo --help` is about the command, `netkit echo serve --help` about the action.
  const std::vector<std::string> words = with_help_last(actions, typed);
  HelpWish wish = command_help_wish(words);
  if (wish != HelpWish::none) {
    print_help(wish == HelpWish::full
                   ? command_help(command, summary, actions, help_width())
                   : brief_command_help(command, summary, actions, help_width()));
    return true;
  }
  const Selection selection = select_action(actions, words);
  if (selection.action == nullptr) return false;
  wish = help_wish(effective_options(*selection.action), selection.words);
  if (wish == HelpWish::none) return false;
  print_help(wish == HelpWish::full ? action_help(command, *selection.action, help_width())
                                    : brief_action_help(command, *selection.action, help_width()));
  return true;
}

// `netkit chat 9998` was meant to be `netkit chat join 9998`.
void refuse_address(const std::string& command, std::span<const ActionDef> actions,
                    const std::string& word) {
  const auto is_for_peers = [](const ActionDef& action) {
    if (action.arguments.empty()) return false;
    const ValueKind kind = action.arguments.front().kind;
    return kind == ValueKind::address || kind == ValueKind::addresses ||
           kind == ValueKind::stream || kind == ValueKind::streams;
  };
  const auto action = std::ranges::find_if(actions, is_for_peers);
  if (action == actions.end() || word.find_first_of("0123456789") == word.npos) return;
  try {
    AddressSpec::parse(word, AddressRole::client);
  } catch (const Error&) {
    return;  // it is none
  }
  throw UsageError(
      fmt::format("'{0}' is an address, not an action; did you mean 'netkit {1} {2} {0}'?",
                  escaped_text(word), command, action->name));
}

// `netkit plugins chek`: where the action may be left out, a first word that is nearly one was
// meant to be it. What could be a URL or a file is left alone.
void refuse_mistyped_action(std::span<const ActionDef> actions, Words words) {
  if (words.empty() || words.front().find_first_of("-./:0123456789") != std::string::npos) return;
  const auto omitted = std::ranges::find_if(actions, &ActionDef::may_be_omitted);
  if (actions.size() > 1 && omitted->arguments.empty()) find_action(actions, words.front());
  const auto near = [&](const ActionDef& action) {
    return action.name != words.front() && !suggest(words.front(), {&action.name, 1}).empty();
  };
  if (std::ranges::any_of(actions, near)) find_action(actions, words.front());
}

Selection require_action(const std::string& command, std::span<const ActionDef> actions,
                         Words words) {
  Selection selection = select_action(actions, words);
  if (selection.action != nullptr) {
    if (selection.action->may_be_omitted) refuse_mistyped_action(actions, words);
    return selection;
  }
  for (const std::string& word : words) {
    if (word.starts_with('-')) continue;
    refuse_address(command, actions, word);
    find_action(actions, word);
  }
  throw UsageError("needs an action: " + names_of(actions));
}

bool needs_argument(const ActionDef& action) {
  return std::ranges::any_of(action.arguments,
                             [](const ArgumentDef& argument) { return !argument.optional; });
}

int run_builtin(App& app, const Builtin& builtin, Words words) {
  app.set_command(std::string(builtin.name));
  if (show_help(app.command(), builtin.summary, builtin.actions, words)) return 0;
  const Selection selection = require_action(app.command(), builtin.actions, words);
  app.set_action(selection.action->name);
  const ParseContext context{.command = builtin.name, .actions = builtin.actions};
  return builtin.run(app, *selection.action, parse(*selection.action, selection.words, context));
}

int run_plugin(App& app, const PluginFile& file, Words typed) {
  const std::vector<std::string> words = without_help_word(typed);
  Plugin& plugin = app.plugin(file.name);
  app.set_command(file.name);
  if (show_help(file.name, file.summary, plugin.actions(), words)) return 0;
  const Selection selection = require_action(file.name, plugin.actions(), words);
  if (words.empty() && needs_argument(*selection.action)) {  // `netkit sse`
    print_help(command_help(file.name, file.summary, plugin.actions(), help_width()));
    return 0;
  }
  app.set_action(selection.action->name);
  const Values values =
      parse(*selection.action, selection.words, app.parse_context(file.name, plugin.actions()));
  return run_action(file.name, *selection.action, values, app.registry());
}

// `netkit` alone: at a terminal that is the shell.
int run_nothing(App& app) {
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
    return run_builtin(app, *find_builtin("shell"), {});
  }
  throw UsageError("needs a command");
}

// Of `netkit ping`: the commands that have an action of that name. Asks netkit's own plugins: a
// mistyped word is no reason to run the code of others.
std::string action_hint(App& app, const std::string& word) {
  const std::filesystem::path own =
      (executable_folder() / NETKIT_BIN_TO_PLUGINS).lexically_normal();
  std::vector<std::string> commands;
  for (const PluginFile& file : app.registry().list()) {
    const std::filesystem::path folder = std::filesystem::path(file.path).parent_path();
    const bool is_own = file.path.empty() || folder.lexically_normal() == own;
    if (!is_own || !file.problem.empty() || file.kind != PluginKind::command) continue;
    try {
      const auto actions = app.plugin(file.name).actions();
      const bool has = std::ranges::find(actions, word, &ActionDef::name) != actions.end();
      if (has) commands.push_back(file.name);
    } catch (const Error&) {
      // Errors of a plugin are reported when it is used.
    }
  }
  if (commands.empty()) return {};
  if (commands.size() == 1) {
    return fmt::format("; did you mean 'netkit {} {}'?", commands.front(), word);
  }
  return fmt::format("; it is an action of {}", fmt::join(commands, ", "));
}

}  // namespace

void run_external(const std::string& name, std::span<const std::string> words) {
  const auto external = find_external_command(environment_variable("PATH").value_or(""), name);
  if (!external) return;
  std::vector<char*> argv{const_cast<char*>(external->path.c_str())};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(external->path.c_str(), argv.data());
  throw SystemError(errno, "cannot run " + external->path.string());
}

int dispatch(App& app) {
  const Invocation& invocation = app.invocation();
  if (invocation.version) {
    print("netkit " NETKIT_VERSION "\n");
    return 0;
  }
  if (invocation.help != HelpWish::none && invocation.words.empty()) {
    print_help(invocation.help == HelpWish::full ? overview_text(app)
                                                 : brief_overview(plugin_rows(app), help_width()));
    return 0;
  }
  if (invocation.words.empty()) return run_nothing(app);
  const std::string name = invocation.words.front();
  std::vector<std::string> rest(invocation.words.begin() + 1, invocation.words.end());
  if (invocation.help != HelpWish::none) {  // `netkit --help echo`
    rest.emplace_back(invocation.help == HelpWish::full ? "--help" : "-h");
  }
  if (name == "__complete") return run_complete(app, rest);
  if (const Builtin* builtin = find_builtin(name)) return run_builtin(app, *builtin, rest);
  if (const auto file = app.registry().find(name)) return run_plugin(app, *file, rest);
  run_external(name, rest);
  refuse_command(app, name);
}

void refuse_command(App& app, const std::string& word) {
  // Programs that netkit-migrate(7) is about.
  constexpr std::array<std::string_view, 8> kReplaced{"nc",     "ncat",  "socat",         "curl",
                                                      "iperf3", "fping", "mosquitto_sub", "wscat"};
  const std::vector<std::string> words = known_words(app);
  const std::vector<std::string_view> views(words.begin(), words.end());
  std::string hint = word == "netkit" ? "; write 'netkit' only once" : action_hint(app, word);
  if (std::ranges::find(kReplaced, word) != kReplaced.end()) {
    hint = fmt::format("; 'man netkit-migrate' says what to type instead of {}", word);
  }
  if (hint.empty()) hint = did_you_mean(word, views);
  throw UsageError(fmt::format("unknown command '{}'{}", escaped_text(word), hint));
}

const ActionDef& find_action(std::span<const ActionDef> actions, const std::string& word) {
  std::vector<std::string_view> names;
  for (const ActionDef& action : actions) {
    if (action.name == word) return action;
    if (!action.name.empty()) names.push_back(action.name);
  }
  const std::string hint = did_you_mean(word, names);
  throw UsageError("unknown action '" + escaped_text(word) + "'" +
                   (hint.empty() ? "; it has " + names_of(actions) : hint));
}

}  // namespace netkit
