// The configuration file: INI, a section per command, a key per option. netkit.conf(5).
#pragma once

#include "util/environment.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// One line `key = value`.
struct ConfigEntry {
  std::string section;
  std::string key;
  std::string value;
  std::size_t line = 0;
};

struct ConfigSection {
  std::string name;
  std::size_t line = 0;
};

// The text of one file: `[echo]`, `wait = 2s`, `# a comment` and `; a comment` on lines of their
// own, white space around names and values left out, a value in double quotes taken as it stands
// between them. A key alone (`json`) is a flag that is on. Repeatable options take a line per
// value.
class NETKIT_API ConfigFile {
 public:
  static constexpr std::size_t kMaxSize = 1 << 20;

  ConfigFile() = default;
  // `path` is for messages. Throws Error (78) with file and line. Any thread.
  static ConfigFile parse(std::string_view text, std::string path);
  // Reads a regular file of at most kMaxSize bytes. Throws Error (78).
  static ConfigFile read(const std::filesystem::path& path);

  const std::string& path() const { return path_; }
  const std::vector<ConfigEntry>& entries() const { return entries_; }
  const std::vector<ConfigSection>& sections() const { return sections_; }
  // "/etc/xdg/netkit/config:3"
  std::string where(std::size_t line) const;

 private:
  std::string path_;
  std::vector<ConfigSection> sections_;
  std::vector<ConfigEntry> entries_;
};

// Where configuration files are looked for: $XDG_CONFIG_HOME/netkit/config (~/.config), then
// netkit/config in each of $XDG_CONFIG_DIRS (/etc/xdg). Relative paths in the variables are
// ignored, as the XDG Base Directory Specification requires.
NETKIT_API std::vector<std::filesystem::path> config_candidates(const Environment& environment);

// The files that exist, the most important first.
NETKIT_API std::vector<ConfigFile> read_config_files(
    const std::vector<std::filesystem::path>& candidates);

}  // namespace netkit
