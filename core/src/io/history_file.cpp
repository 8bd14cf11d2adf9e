#include "io/prompt.hpp"
#include "util/environment.hpp"

#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/file.hpp>

namespace netkit {
namespace {

// Empty: there is none.
std::string state_folder() {
  const std::filesystem::path folder = user_folder(UserFolder::state);
  return folder.empty() ? std::string() : (folder / "netkit").string();
}

constexpr int kLockTries = 50;  // of 5 ms: any other writer is done long before

void make_folders(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1)) {
    ::mkdir(path.substr(0, at).c_str(), 0700);
  }
}

FileDescriptor open_locked(const std::string& path, int flags, int lock) {
  // Nothing that could block: a named pipe, or a lock that somebody holds.
  FileDescriptor fd(::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600));
  struct stat info = {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  if ((info.st_mode & 077) != 0) ::fchmod(fd.get(), 0600);
  int tries = 0;
  while (::flock(fd.get(), lock | LOCK_NB) != 0) {
    if (++tries > kLockTries) return {};
    ::poll(nullptr, 0, 5);
  }
  return fd;
}

// The last `limit` bytes.
std::string read_tail(int fd, std::size_t limit) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return {};
  const auto size = static_cast<std::size_t>(info.st_size);
  std::string content(std::min(size, limit), '\0');
  const ssize_t count =
      ::pread(fd, content.data(), content.size(), static_cast<off_t>(size - content.size()));
  content.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  // What the cut left of a line.
  if (content.size() < size) content.erase(0, content.find('\n') + 1);
  return content;
}

std::string_view last_lines(std::string_view content, std::size_t count) {
  std::size_t at = content.size();
  for (std::size_t lines = 0; at > 0; --at) {
    if (content[at - 1] == '\n' && lines++ == count) break;
  }
  return content.substr(at);
}

// Under the lock, so no other program appends meanwhile.
void cut_down(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return;
  if (static_cast<std::size_t>(info.st_size) <= HistoryFile::kMaxSize) return;
  const std::string content = read_tail(fd, HistoryFile::kMaxSize / 2);
  if (::ftruncate(fd, 0) != 0) return;
  static_cast<void>(write_all(fd, last_lines(content, HistoryFile::kKept)));
}

}  // namespace

HistoryFile::HistoryFile(std::string_view name) {
  const std::string folder = state_folder();
  if (!name.empty() && !folder.empty()) path_ = fmt::format("{}/{}", folder, name);
}

void HistoryFile::make_folder() {
  const std::string home = environment_variable("HOME").value_or("");
  if (::access(home.c_str(), F_OK) != 0) return;  // nobody's
  if (const std::string folder = state_folder(); !folder.empty()) make_folders(folder + '/');
}

std::vector<std::string> HistoryFile::load() {
  std::vector<std::string> lines;
  if (path_.empty()) return lines;
  const FileDescriptor fd = open_locked(path_, O_RDONLY, LOCK_SH);
  if (!fd) return lines;
  const std::string content = read_tail(fd.get(), kMaxSize);
  std::string_view rest = last_lines(content, kKept);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  if (!lines.empty()) last_ = lines.back();
  return lines;
}

bool HistoryFile::wants(std::string_view line) const {
  return !line.empty() && line.front() != ' ' && line.front() != '\t' && line != last_ &&
         line.find('\n') == line.npos;
}

void HistoryFile::append(std::string_view line) {
  if (path_.empty() || !wants(line)) return;
  last_ = line;
  make_folders(path_);
  const FileDescriptor fd = open_locked(path_, O_RDWR | O_APPEND | O_CREAT, LOCK_EX);
  if (!fd) return;
  static_cast<void>(write_all(fd.get(), fmt::format("{}\n", line)));
  cut_down(fd.get());
}

}  // namespace netkit
