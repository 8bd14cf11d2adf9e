// `netkit plugins`: from the notes alone. `netkit plugins check`: in a child process. `netkit
// plugins new`: files.
#include "builtins.hpp"
#include "cli/text_layout.hpp"
#include "command_names.hpp"
#include "new_plugin.hpp"
#include "plugin/probe.hpp"
#include "record/json_text.hpp"

#include <filesystem>
#include <iterator>

#include <netkit/plugin/build_tag.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/exit_status.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// Loading a plugin is a matter of milliseconds.
constexpr Duration kProbeLimit = std::chrono::seconds(10);

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_json_lossy(out, value);
}

std::string json_line(const PluginFile& file) {
  std::string out = "{";
  append_field(out, "type", "plugin");
  append_field(out, "name", file.name);
  append_field(out, "version", file.version);
  append_field(out, "summary", file.summary);
  append_field(out, "path", file.path);
  out += file.problem.empty() ? ",\"ok\":true" : ",\"ok\":false";
  if (!file.problem.empty()) append_field(out, "problem", file.problem);
  return out + "}\n";
}

std::string text_row(const PluginFile& file, std::size_t column) {
  std::string out;
  const std::string name = escaped_text(file.name);
  append_row(out, name, file.problem.empty() ? file.summary : "refused: it " + file.problem,
             column);
  out.append(column, ' ');
  out += file.path.empty() ? "linked in" : escaped_text(file.path);
  if (!file.version.empty()) out += " (" + file.version + ")";
  return out + "\n";
}

std::string text_list(const App& app, const std::vector<PluginFile>& files) {
  std::string out;
  constexpr std::size_t kColumn = 14;
  for (const PluginFile& file : files) out += text_row(file, kColumn);
  for (const CommandSummary& row : external_rows(app)) {
    append_row(out, row.name, "an executable, " + escaped_text(row.summary), kColumn);
  }
  out += (out.empty() ? "No plugins. Looked in:\n" : "\nLooked in:\n");
  for (const auto& folder : app.registry().folders())
    out += "  " + escaped_text(folder.string()) + "\n";
  return out + "Wanted: ABI " + std::to_string(kPluginAbi) + ", built for '" NETKIT_BUILD_TAG "'\n";
}

int list_plugins(const App& app, bool json) {
  const std::vector<PluginFile> files = app.registry().list();
  if (!json) {
    print(text_list(app, files));
    return 0;
  }
  std::string out;
  for (const PluginFile& file : files) out += json_line(file);
  for (const CommandSummary& row : external_rows(app)) {
    out += "{";
    append_field(out, "type", "executable");
    append_field(out, "name", row.name);
    append_field(out, "path", row.summary);
    out += ",\"ok\":true}\n";
  }
  print(out + "{\"type\":\"end\",\"ok\":true}\n");
  return 0;
}

// All are judged before the first that is wrong ends it.
int check_plugins(const std::vector<std::string>& paths) {
  std::string refused;
  for (const std::string& path : paths) {
    const std::string problem = probe_plugin(path, kProbeLimit);
    if (problem.empty()) {
      print("plugin " + escaped_text(path) + " is well\n");
      continue;
    }
    if (!refused.empty()) refused += "; ";
    refused += "plugin " + escaped_text(path) + " " + problem;
  }
  if (!refused.empty()) throw PluginError(refused);
  return 0;
}

int make_plugin(const App& app, const std::vector<std::string>& words) {
  const std::string& name = words.front();
  check_new_name(app.registry(), name);
  std::string out;
  for (const auto& path : write_plugin(name, words.size() > 1 ? words[1] : name)) {
    out += escaped_text(path.string()) + "\n";
  }
  print(out);
  return 0;
}

}  // namespace

int run_plugins(App& app, const ActionDef& action, const Values& values) {
  if (action.name == "check") return check_plugins(values.arguments());
  if (action.name == "new") return make_plugin(app, values.arguments());
  return list_plugins(app, values.flag("json"));
}

}  // namespace netkit
