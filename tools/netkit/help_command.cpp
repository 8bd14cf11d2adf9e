// `netkit help`, and the tables of commands that `netkit --help` shows.
#include "app.hpp"
#include "cli/help.hpp"
#include "commands.hpp"
#include "plugin/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

// The exit status of `argv`, 127 where it cannot be started.
int run(const std::vector<std::string>& argv, bool silently) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  if (silently) {
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, words[0], &files, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return 127;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Shows the page of section 1 in the foreground: a user's own, below XDG_DATA_HOME, that of this
// installation, else what man finds by name. False, and nothing is shown, where there is none or no
// man.
bool show_man_page(const std::string& name) {
  for (const fs::path& data :
       {user_folder(UserFolder::data), executable_folder() / NETKIT_BIN_TO_DATA}) {
    for (const char* suffix : {".1", ".1.gz"}) {
      const fs::path page = (data / "man" / "man1" / (name + suffix)).lexically_normal();
      std::error_code missing;
      // A name with a slash is a file to man.
      if (page.is_absolute() && fs::exists(page, missing) &&
          run({"man", "-w", page.string()}, true) == 0) {
        return run({"man", page.string()}, false) == 0;
      }
    }
  }
  return run({"man", "-w", "1", name}, true) == 0 && run({"man", "1", name}, false) == 0;
}

// The page of an executable on PATH, or what it says about itself; it takes the place of this
// process then. False: there is none of that name.
bool help_about_external(const std::string& name, const std::string& action) {
  if (!find_external_command(environment_variable("PATH").value_or(""), name)) return false;
  if (action.empty() && show_man_page("netkit-" + name)) return true;
  std::vector<std::string> words{"--help"};
  if (!action.empty()) words.insert(words.begin(), action);
  run_external(name, words);
  return false;
}

const HelpTopic* find_topic(std::string_view name) {
  const auto all = help_topics();
  const auto at = std::ranges::find(all, name, &HelpTopic::name);
  return at == all.end() ? nullptr : &*at;
}

void help_about(App& app, const std::string& topic, const std::string& action) {
  if (const Builtin* builtin = find_builtin(topic)) {
    print_help(command_help(builtin->name, builtin->summary, builtin->actions, help_width()));
    return;
  }
  const auto file = app.registry().find(topic);
  if (!file) {
    if (help_about_external(topic, action)) return;
    std::vector<std::string> words = known_words(app);
    for (const HelpTopic& one : help_topics()) words.emplace_back(one.name);
    const std::vector<std::string_view> views(words.begin(), words.end());
    throw UsageError("there is no help on '" + escaped_text(topic) + "'" +
                     did_you_mean(topic, views));
  }
  if (action.empty() && show_man_page("netkit-" + topic)) return;
  const auto actions = app.plugin(topic).actions();
  if (action.empty()) {
    print_help(command_help(topic, file->summary, actions, help_width()));
  } else {
    print_help(action_help(topic, find_action(actions, action), help_width()));
  }
}

}  // namespace

std::vector<CommandSummary> plugin_rows(const App& app) {
  std::vector<CommandSummary> rows;
  for (const PluginFile& file : app.registry().list()) {
    if (file.problem.empty() && file.kind == PluginKind::command) {
      rows.push_back({file.name, file.summary});
    }
  }
  return rows;
}

std::vector<CommandSummary> builtin_rows() {
  std::vector<CommandSummary> rows;
  for (const Builtin& builtin : builtins()) {
    rows.push_back({std::string(builtin.name), std::string(builtin.summary)});
  }
  return rows;
}

std::vector<CommandSummary> external_rows(const App& app) {
  std::vector<CommandSummary> rows;
  for (const ExternalCommand& external :
       external_commands(environment_variable("PATH").value_or(""))) {
    const bool hidden = find_builtin(external.name) || app.registry().find(external.name);
    if (!hidden) rows.push_back({external.name, external.path.string()});
  }
  return rows;
}

std::vector<std::string> known_words(const App& app) {
  std::vector<std::string> words;
  for (const auto& rows : {plugin_rows(app), builtin_rows(), external_rows(app)}) {
    for (const CommandSummary& row : rows) words.push_back(row.name);
  }
  return words;
}

std::string overview_text(const App& app) {
  return overview(plugin_rows(app), builtin_rows(), external_rows(app), help_width());
}

int run_help(App& app, const ActionDef&, const Values& values) {
  const std::vector<std::string>& topics = values.arguments();
  if (topics.empty()) {
    print_help(overview_text(app));
  } else if (const HelpTopic* topic = find_topic(topics.front()); topic != nullptr) {
    if (topics.size() > 1) {
      throw UsageError(
          fmt::format("the topic '{}' has no part '{}'", topic->name, escaped_text(topics[1])));
    }
    print_help(topic->text(help_width()));
  } else {
    help_about(app, topics.front(), topics.size() > 1 ? topics[1] : "");
  }
  return 0;
}

}  // namespace netkit
