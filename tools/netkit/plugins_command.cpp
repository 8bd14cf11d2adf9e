// `netkit plugins`: from the notes alone. `netkit plugins check`: in a child process. `netkit
// plugins new`: files.
#include "cli/help.hpp"
#include "commands.hpp"
#include "made.hpp"
#include "plugin/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <sys/stat.h>

#include <netkit/plugin/abi.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

bool is_identifier(std::string_view name) {
  const bool begins = !name.empty() && name.front() >= 'a' && name.front() <= 'z';
  return begins && is_command_name(name) && name.find('-') == name.npos;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// As mdoc(7) has a date: `November 5, 2026`.
std::string mdoc_date() {
  static constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                                 "May",       "June",     "July",     "August",
                                                 "September", "October",  "November", "December"};
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return std::string(kMonths[local.tm_mon]) + " " + std::to_string(local.tm_mday) + ", " +
         std::to_string(local.tm_year + 1900);
}

std::string filled_in(std::string_view text, const std::string& name) {
  std::string capitals = name;
  for (char& byte : capitals) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  const std::string capital = capitals.substr(0, 1) + name.substr(1);
  std::string out(text);
  replace_all(out, "skeleton", name);
  replace_all(out, "Skeleton", capital);
  replace_all(out, "SKELETON", capitals);
  replace_all(out, "@DATE@", mdoc_date());
  return out;
}

void write_file(const fs::path& path, std::string_view content) {
  const std::string what = "cannot write " + path.string();
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd) throw SystemError(errno, what, ExitStatus::output);
  if (const int error = write_all(fd.get(), content); error != 0) {
    throw SystemError(error, what, ExitStatus::output);
  }
}

// Throws UsageError where no plugin can have this name: it is malformed (the name becomes part of
// identifiers, so '-' is out), a word of netkit itself, or a command that `registry` has.
void check_new_name(const Registry& registry, const std::string& name) {
  const std::string shown = "'" + escaped_text(name) + "'";
  if (!is_identifier(name)) {
    throw UsageError(shown +
                     " cannot be the name of a plugin: use lower-case letters, digits and '_', "
                     "starting with a letter, at most 31");
  }
  if (std::ranges::find(reserved_words(), name) != reserved_words().end()) {
    throw UsageError(shown + " is a built-in command of netkit; choose another name");
  }
  if (registry.find(name)) {
    throw UsageError("there is a command " + shown + " already; choose another name");
  }
}

// Writes the skeleton of the plugin `name` into `folder`, which it makes and which must not exist
// (UsageError). Returns the paths of the files. Throws SystemError, and leaves nothing then.
std::vector<fs::path> write_plugin(const std::string& name, const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0777) != 0) {
    const std::string shown = "'" + escaped_text(folder.string()) + "'";
    if (errno == EEXIST) throw UsageError(shown + " already exists; name a new directory");
    throw SystemError(errno, "cannot create " + shown, ExitStatus::output);
  }
  std::vector<fs::path> paths;
  try {
    for (const TemplateFile& file : plugin_template()) {
      const fs::path path = folder / filled_in(file.path, name);
      write_file(path, filled_in(file.content, name));
      paths.push_back(path);
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
  return paths;
}

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
  append_field(out, "kind", file.kind == PluginKind::store ? "store" : "command");
  append_field(out, "name", file.name);
  append_field(out, "version", file.version);
  append_field(out, "summary", file.summary);
  append_field(out, "path", file.path);
  out += file.problem.empty() ? ",\"ok\":true" : ",\"ok\":false";
  if (!file.problem.empty()) append_field(out, "problem", file.problem);
  return out + "}\n";
}

void append_plugin(HelpText& out, const PluginFile& file, std::size_t column) {
  const std::string name = escaped_text(file.name);
  const std::string summary =
      file.kind == PluginKind::store ? "a store: " + file.summary : file.summary;
  append_row(out, name, file.problem.empty() ? summary : "refused: it " + file.problem, column);
  out += std::string(column, ' ');
  out += file.path.empty() ? "linked in" : escaped_text(file.path);
  if (!file.version.empty()) out += " (" + file.version + ")";
  out += "\n";
}

std::string text_list(const App& app, const std::vector<PluginFile>& files) {
  HelpText out;
  constexpr std::size_t kColumn = 14;
  for (const PluginFile& file : files) append_plugin(out, file, kColumn);
  for (const CommandSummary& row : external_rows(app)) {
    append_row(out, row.name, "an executable, " + escaped_text(row.summary), kColumn);
  }
  out += out.text().empty() ? "No plugins. Searched:\n" : "\nSearched:\n";
  for (const auto& folder : app.registry().folders())
    out += "  " + escaped_text(folder.string()) + "\n";
  out += "Required: ABI " + std::to_string(kPluginAbi) + ", built for '" NETKIT_BUILD_TAG "'\n";
  return out.text();
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
      print("plugin " + escaped_text(path) + " is OK\n");
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
