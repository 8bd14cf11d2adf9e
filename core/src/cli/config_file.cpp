#include "cli/config_file.hpp"

#include <cerrno>
#include <unistd.h>
#include <utility>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

[[noreturn]] void fail(const std::string& message) {
  throw Error(ExitStatus::config, message);
}

// `"a b"` is what stands between the quotes.
std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::string ConfigFile::where(std::size_t line) const {
  return path_ + ":" + std::to_string(line);
}

ConfigFile ConfigFile::parse(std::string_view text, std::string path) {
  ConfigFile file;
  file.path_ = std::move(path);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim_white_space(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line.find('\0') != line.npos || !is_valid_utf8(line)) {
      fail(file.where(number) + ": not UTF-8 text");
    }
    if (line[0] == '[') {
      const std::string_view name = trim_white_space(line.substr(1, line.size() - 2));
      if (line.back() != ']' || line.size() < 3 || name.empty()) {
        fail(file.where(number) + ": a section is written [COMMAND]");
      }
      file.sections_.push_back({std::string(name), number});
      continue;
    }
    if (file.sections_.empty()) {
      fail(file.where(number) + ": '" + escaped_text(line) + "' comes before the first [COMMAND]");
    }
    const std::size_t equals = line.find('=');
    const std::string_view key = trim_white_space(line.substr(0, equals));
    if (key.empty()) fail(file.where(number) + ": a line is written OPTION = VALUE");
    const std::string_view value =
        equals == line.npos ? "true" : unquoted(trim_white_space(line.substr(equals + 1)));
    file.entries_.push_back(
        {file.sections_.back().name, std::string(key), std::string(value), number});
  }
  return file;
}

ConfigFile ConfigFile::read(const std::filesystem::path& path) {
  const FileContent content = read_file(path.string(), kMaxSize);
  if (content.error == EFBIG) fail(path.string() + " is larger than 1M");
  if (content.error != 0) fail("cannot read " + path.string() + ": " + error_text(content.error));
  return parse(content.bytes, path.string());
}

std::vector<std::filesystem::path> config_candidates(const Environment& environment) {
  std::string list = environment("XDG_CONFIG_DIRS").value_or("");
  if (list.empty()) list = "/etc/xdg";
  std::vector<std::filesystem::path> out = absolute_folders(list);
  if (auto own = user_folder(UserFolder::config, environment); !own.empty()) {
    out.insert(out.begin(), std::move(own));
  }
  for (std::filesystem::path& folder : out) folder = folder / "netkit" / "config";
  return out;
}

std::vector<ConfigFile> read_config_files(const std::vector<std::filesystem::path>& candidates) {
  std::vector<ConfigFile> files;
  for (const std::filesystem::path& path : candidates) {
    if (::access(path.c_str(), F_OK) != 0 && errno != EACCES) continue;
    files.push_back(ConfigFile::read(path));
  }
  return files;
}

}  // namespace netkit
