// `netkit help`, and the tables of commands that `netkit --help` shows.
#include "builtins.hpp"
#include "cli/help.hpp"
#include "command_names.hpp"
#include "dispatch.hpp"
#include "external.hpp"
#include "man_page.hpp"
#include "plugin/search_path.hpp"

#include <netkit/util/error.hpp>
#include <netkit/util/suggest.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::string_view kExitStatus = "exit-status";

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

void help_about(App& app, const std::string& topic, const std::string& action) {
  if (const Builtin* builtin = find_builtin(topic)) {
    print(command_help(builtin->name, builtin->summary, builtin->actions));
    return;
  }
  const auto file = app.registry().find(topic);
  if (!file) {
    if (help_about_external(topic, action)) return;
    std::vector<std::string> words = known_words(app);
    words.emplace_back(kExitStatus);
    const std::vector<std::string_view> views(words.begin(), words.end());
    throw UsageError("there is no help about '" + escaped_text(topic) + "'" +
                     did_you_mean(topic, views));
  }
  if (action.empty() && show_man_page("netkit-" + topic)) return;
  const auto actions = app.plugin(topic).actions();
  if (action.empty()) {
    print(command_help(topic, file->summary, actions));
  } else {
    print(action_help(topic, find_action(actions, action)));
  }
}

}  // namespace

std::vector<CommandSummary> plugin_rows(const App& app) {
  std::vector<CommandSummary> rows;
  for (const PluginFile& file : app.registry().list()) {
    if (file.problem.empty()) rows.push_back({file.name, file.summary});
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
  return overview(plugin_rows(app), builtin_rows(), external_rows(app));
}

int run_help(App& app, const ActionDef&, const Values& values) {
  const std::vector<std::string>& topics = values.arguments();
  if (topics.empty()) {
    print(overview_text(app));
  } else if (topics.front() == kExitStatus) {
    print(exit_status_help());
  } else {
    help_about(app, topics.front(), topics.size() > 1 ? topics[1] : "");
  }
  return 0;
}

}  // namespace netkit
