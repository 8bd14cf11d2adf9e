#include <cerrno>
#include <fstream>
#include <sse/last_ids.hpp>
#include <sys/stat.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

// Far more than the ids of as many URLs as a command line holds.
constexpr off_t kMaxFile = off_t{16} << 20U;

// Where the id of a line `URL ID` begins; npos in others.
std::size_t id_of_pair(std::string_view line) {
  const std::size_t blank = line.find(' ');
  const bool is_pair = blank != std::string_view::npos && line.find("://") < blank;
  return is_pair ? blank + 1 : std::string_view::npos;
}

}  // namespace

bool LastIds::is_id(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

LastIds LastIds::load(const std::string& path) {
  LastIds ids;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return ids;
    throw SystemError(errno, "--state: cannot read '" + path + "'");
  }
  // What is read from a device was not written there, and may have no end.
  if (!S_ISREG(info.st_mode)) return ids;
  if (info.st_size > kMaxFile) throw SystemError(EFBIG, "--state: cannot read '" + path + "'");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw SystemError(errno, "--state: cannot read '" + path + "'");
  std::size_t others = 0;  // lines that are no pairs: one at most, and then nothing else
  std::string line;
  while (std::getline(file, line)) {
    if (line.ends_with('\r')) line.pop_back();  // by an editor
    const std::size_t id = id_of_pair(line);
    const bool is_pair = id != std::string::npos;
    if (!is_pair) ++others;
    if (!is_id(line) || others > 1 || (others == 1 && (is_pair || !ids.ids_.empty()))) {
      throw Error(ExitStatus::config, "--state: '" + path +
                                          "' is no state file (it holds an id, or " +
                                          "lines 'URL ID'), and would be overwritten");
    }
    if (is_pair) {
      ids.ids_[line.substr(0, id - 1)] = line.substr(id);
    } else {
      ids.single_ = line;
    }
  }
  return ids;
}

std::string LastIds::of(const std::string& url, bool only_one) const {
  const auto found = ids_.find(url);
  if (found != ids_.end()) return found->second;
  return only_one ? single_ : std::string();
}

std::string LastIds::updated(const std::map<std::string, std::string>& ids) const {
  if (ids.size() == 1 && ids_.empty() && id_of_pair(ids.begin()->second) == std::string::npos) {
    return ids.begin()->second + "\n";
  }
  std::map<std::string, std::string> all = ids_;
  for (const auto& [url, id] : ids) all[url] = id;
  std::string content;
  for (const auto& [url, id] : all) content.append(url).append(" ").append(id).append("\n");
  return content;
}

}  // namespace netkit::sse
