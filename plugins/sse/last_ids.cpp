#include <cerrno>
#include <fstream>
#include <sse/last_ids.hpp>
#include <unistd.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {

LastIds LastIds::load(const std::string& path) {
  LastIds ids;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return ids;
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
