#include <algorithm>
#include <cerrno>
#include <sse/event_stream.hpp>
#include <sse/state_file.hpp>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit::sse {
namespace {

// Far more than the ids of as many URLs as a command line holds.
constexpr std::size_t kMaxFile = std::size_t{16} << 20U;

// Where the id of a line `URL ID` begins; npos in others.
std::size_t id_of_pair(std::string_view line) {
  const std::size_t blank = line.find(' ');
  const bool is_pair = blank != std::string_view::npos && line.find("://") < blank;
  return is_pair ? blank + 1 : std::string_view::npos;
}

}  // namespace

StateFile::StateFile(std::string path) : path_(std::move(path)) {
  struct stat info = {};
  const int missing = ::stat(path_.c_str(), &info) == 0 ? 0 : errno;
  // What is read from a device was not written there, and may have no end.
  if (missing == ENOENT || (missing == 0 && !S_ISREG(info.st_mode))) return;
  const FileContent content = read_file(path_, kMaxFile);
  if (content.error != 0) {
    throw SystemError(content.error, fmt::format("--state: cannot read '{}'", path_));
  }
  std::string_view rest = content.bytes;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    read_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void StateFile::read_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);  // by an editor
  const std::size_t id = id_of_pair(line);
  const bool is_pair = id != std::string_view::npos;
  // A line that is no pair is the only one.
  if (!is_event_id(line) || has_single_ || (!is_pair && !ids_.empty())) {
    throw Error(
        ExitStatus::config,
        fmt::format("--state: '{}' is not a state file (it holds an id, or lines 'URL ID'), "
                    "and would be overwritten",
                    path_));
  }
  if (is_pair) {
    ids_[std::string(line.substr(0, id - 1))] = line.substr(id);
  } else {
    single_ = line;
    has_single_ = true;
  }
}

std::string StateFile::id_of(const std::string& url, bool only_one) const {
  const auto found = ids_.find(url);
  if (found != ids_.end()) return found->second;
  return only_one ? single_ : std::string();
}

bool StateFile::is_written(std::string_view url, std::string_view id) const {
  const auto found = written_.find(url);
  return id == (found == written_.end() ? std::string_view() : found->second);
}

std::string StateFile::write(Ids ids) {
  if (ids == written_) return {};
  const int error = write_file_atomically(path_, content_with(ids));
  if (error != 0) return fmt::format("--state: cannot write '{}': {}", path_, error_text(error));
  written_ = std::move(ids);
  return {};
}

std::string StateFile::content_with(const Ids& ids) const {
  if (ids.size() == 1 && ids_.empty() &&
      id_of_pair(ids.begin()->second) == std::string_view::npos) {
    return ids.begin()->second + "\n";
  }
  Ids all = ids_;
  for (const auto& [url, id] : ids) all[url] = id;
  std::string content;
  for (const auto& [url, id] : all) content.append(url).append(" ").append(id).append("\n");
  return content;
}

}  // namespace netkit::sse
