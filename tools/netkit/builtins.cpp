#include "commands.hpp"

#include <algorithm>

#include <netkit/tls/psk.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

int run_version(App&, const ActionDef&, const Values&) {
  print("netkit " NETKIT_VERSION "\n");
  return 0;
}

int run_psk(App&, const ActionDef&, const Values& values) {
  const std::string& name = values.arguments().front();
  const std::string_view why = why_not_an_identity(name);
  if (!why.empty()) {
    throw UsageError("the name '" + escaped_text(name) + "' " + std::string(why));
  }
  print(new_psk_line(name) + "\n");
  return 0;
}

ActionDef action(std::string_view name, std::string_view summary) {
  return {.name = name, .summary = summary, .common = kHelpOnly, .may_be_omitted = name.empty()};
}

OptionDef json_option() {
  return {.name = "json", .help = "print JSON Lines, one object each"};
}

Builtin help() {
  ActionDef topic = action("", "show help for a command, an action of it, or a topic");
  topic.description =
      "Shows the manual page of a command where there is one, otherwise the text that --help "
      "prints. The topics are what all commands have in common: addresses, durations, templates, "
      "sources, sinks, common (options), codecs and exit-status.";
  topic.arguments = {{.name = "TOPIC", .optional = true, .help = "a command or a topic"},
                     {.name = "ACTION", .optional = true, .help = "one of its actions"}};
  topic.examples = {{"netkit help echo", "the manual page of netkit echo"},
                    {"netkit help echo serve", "the options of one action"},
                    {"netkit help exit-status", "what the exit statuses mean"}};
  return {"help", "show help for a command or on a topic", {topic}, run_help};
}

Builtin plugins() {
  ActionDef list = action("list", "list plugins, and what is wrong with them");
  list.may_be_omitted = true;
  list.options = {json_option()};
  list.examples = {{"netkit plugins", "all plugins, by name"},
                   {"netkit plugins --json | jq -r 'select(.ok|not).problem'", "what is wrong"}};
  ActionDef check = action("check", "load plugins in a separate process and check them");
  check.arguments = {
      {.name = "FILE", .kind = ValueKind::path, .repeatable = true, .help = "a plugin's .so file"}};
  check.examples = {{"netkit plugins check ./build/hello.so", "say whether netkit would load it"}};
  ActionDef make = action("new", "create a plugin");
  make.description =
      "Creates DIR with a working plugin: a protocol with its test, two actions, a manual page and "
      "build files. netkit-plugin(3) walks through it.";
  make.arguments = {{.name = "NAME", .help = "the plugin's, and its command's"},
                    {.name = "DIR",
                     .kind = ValueKind::path,
                     .default_value = "NAME",
                     .optional = true,
                     .help = "a directory that does not exist yet"}};
  make.examples = {{"netkit plugins new hello", "a plugin in ./hello"},
                   {"cmake -S hello -B hello/build && cmake --build hello/build", "builds it"}};
  return {"plugins", "list, check and create plugins", {list, check, make}, run_plugins};
}

Builtin shell() {
  ActionDef run = action("", "run commands from a prompt, a script or a line");
  run.description =
      "Runs netkit commands without the word netkit, at a prompt with completion and history, or "
      "from a script on standard input. Each is a separate process. Quotes, pipes, "
      "redirections and & are as in sh; jobs, fg, stop N and exit are built in.";
  run.options = {
      {.name = "command",
       .letter = 'c',
       .kind = ValueKind::text,
       .help = "run this line and exit with its status",
       .no_environment = true},
      {.name = "errexit", .help = "exit at the first command that fails", .no_environment = true}};
  run.examples = {{"netkit shell", "a prompt"},
                  {"netkit shell -c 'plugins --json | head -1'", "one line"},
                  {"netkit shell --errexit < script", "a script, until a command fails"}};
  return {"shell", "run commands from a prompt or a script", {run}, run_shell};
}

Builtin config() {
  ActionDef show = action("", "show each value that is set, and where it comes from");
  show.description =
      "Shows what the environment and the configuration files set, for all commands; for one "
      "command each value of each action with its origin, defaults included.";
  show.arguments = {{.name = "COMMAND", .optional = true, .help = "show all of its values"}};
  show.options = {json_option(),
                  {.name = "config",
                   .kind = ValueKind::path,
                   .help = "read this configuration file instead of the usual ones",
                   .no_environment = true}};
  show.examples = {{"netkit config", "what is set, and the files that were read"},
                   {"netkit config echo", "all values of netkit echo"}};
  return {"config", "show the configuration and where it comes from", {show}, run_config};
}

Builtin completion() {
  ActionDef script = action("", "print the completion script of a shell");
  script.description =
      "Prints a completion script for bash, zsh or fish. The script queries netkit itself, so "
      "third-party plugins are completed as well.";
  script.arguments = {{.name = "SHELL", .help = "bash, zsh or fish"}};
  script.examples = {{"source <(netkit completion bash)", "in bash"},
                     {"netkit completion fish | source", "in fish"}};
  return {
      "completion", "print a completion script for bash, zsh or fish", {script}, run_completion};
}

Builtin psk() {
  ActionDef make = action("", "print a line with a new key for a --psk-file");
  make.description =
      "Prints NAME, a colon and a random key of 32 bytes in hexadecimal. A server's file has such "
      "a "
      "line for each of its peers, a peer's file its own; nobody else may read them.";
  make.arguments = {{.name = "NAME", .help = "the identity of the key"}};
  make.examples = {
      {"(umask 077; netkit psk ann >> keys)", "a key for ann, in a file that others cannot read"}};
  return {"psk", "create a pre-shared key", {make}, run_psk};
}

Builtin version() {
  return {"version", "print the version", {action("", "print the version")}, run_version};
}

}  // namespace

std::span<const Builtin> builtins() {
  static const std::vector<Builtin> kBuiltins{help(),       plugins(), shell(),  config(),
                                              completion(), psk(),     version()};
  return kBuiltins;
}

const Builtin* find_builtin(std::string_view name) {
  const auto all = builtins();
  const auto at = std::ranges::find(all, name, &Builtin::name);
  return at == all.end() ? nullptr : &*at;
}

}  // namespace netkit
