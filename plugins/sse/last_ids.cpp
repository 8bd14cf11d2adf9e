#include <cerrno>
#include <fstream>
#include <sse/last_ids.hpp>
#include <sys/stat.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

// Far more than the ids of as many URLs as a command line holds.
constexpr off_t kMaxFile = off_t{16} << 20U;

}  // namespace

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
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string::npos && line.find("://") < blank) {
      ids.ids_[line.substr(0, blank)] = line.substr(blank + 1);
    } else if (ids.single_.empty()) {
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
  if (ids.size() == 1 && ids_.empty()) return ids.begin()->second + "\n";
  std::map<std::string, std::string> all = ids_;
  for (const auto& [url, id] : ids) all[url] = id;
  std::string content;
  for (const auto& [url, id] : all) content.append(url).append(" ").append(id).append("\n");
  return content;
}

}  // namespace netkit::sse
