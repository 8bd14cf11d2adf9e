#include "new_plugin.hpp"

#include "plugin/plugin_file.hpp"
#include "plugin/search_path.hpp"
#include "plugin_template.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/file_descriptor.hpp>
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

}  // namespace

void check_new_name(const Registry& registry, const std::string& name) {
  const std::string shown = "'" + escaped_text(name) + "'";
  if (!is_identifier(name)) {
    throw UsageError(shown +
                     " cannot be the name of a plugin: wanted are lower-case letters, digits and "
                     "'_', a letter first, at most 31");
  }
  if (std::ranges::find(reserved_words(), name) != reserved_words().end()) {
    throw UsageError(shown + " is a word of netkit itself; choose another name");
  }
  if (registry.find(name)) {
    throw UsageError("there is a command " + shown + " already; choose another name");
  }
}

std::vector<fs::path> write_plugin(const std::string& name, const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0777) != 0) {
    const std::string shown = "'" + escaped_text(folder.string()) + "'";
    if (errno == EEXIST) throw UsageError(shown + " is there already; name a folder that is not");
    throw SystemError(errno, "cannot make " + shown, ExitStatus::output);
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

}  // namespace netkit
