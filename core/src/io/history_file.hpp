// What was typed at a prompt, kept across runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// A file of lines in $XDG_STATE_HOME/netkit/ (0600, folders 0700) that several programs may share:
// each line is appended under flock(2). A history that cannot be read or written is no error. Keeps
// the last kKept lines, and is cut down to them when it is larger than kMaxSize.
class NETKIT_API HistoryFile {
 public:
  static constexpr std::size_t kKept = 1000;
  static constexpr std::size_t kMaxSize = std::size_t{256} * 1024;  // bytes

  // `name` has no slash. Empty: nothing is kept.
  explicit HistoryFile(std::string_view name);

  std::vector<std::string> load();  // oldest first
  // Not kept: an empty line, one that begins with a blank, one that equals the one before.
  bool wants(std::string_view line) const;
  void append(std::string_view line);
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string last_;
};

}  // namespace netkit
