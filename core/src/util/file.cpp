#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <netkit/util/file.hpp>

namespace netkit {
namespace {

constexpr mode_t kPrivate = 0600;

// A named pipe that nobody reads fails with ENXIO instead of holding the program.
FileDescriptor open_to_write(const std::string& path, int flags) {
  FileDescriptor fd(
      ::open(path.c_str(), flags | O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, kPrivate));
  if (fd) ::fcntl(fd.get(), F_SETFL, flags & O_APPEND);
  return fd;
}

// Removes the `written` bytes from the end again, unless somebody else has appended since.
void take_back(int fd, std::size_t written) {
  const off_t end = ::lseek(fd, 0, SEEK_CUR);  // after an append it stands behind what was written
  struct stat info = {};
  if (end < 0 || ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != end) return;
  if (::ftruncate(fd, end - static_cast<off_t>(written)) != 0) return;
}

std::string resolve_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? std::string(real.get()) : path;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int write_in_place(const std::string& path, std::string_view content) {
  const FileDescriptor fd = open_to_write(path, 0);
  return fd ? write_all(fd.get(), content) : errno;
}

int write_and_sync(int fd, std::string_view content) {
  if (const int error = write_all(fd, content); error != 0) return error;
  return ::fsync(fd) == 0 ? 0 : errno;
}

// The new name lasts only once the folder is on the disk as well. Some file systems cannot sync a
// folder; the content is safe there as far as it can be.
void sync_folder(const std::string& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

// Takes what is written from the front of `content`.
int write_front(int fd, std::string_view& content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void FileDescriptor::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  // Linux frees the number even when close() is interrupted, so it is not tried again.
  if (old >= 0) ::close(old);
}

std::size_t raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < std::min<rlim_t>(wanted, limit.rlim_max) &&
      ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    return raised.rlim_cur;
  }
  return limit.rlim_cur;
}

FileContent read_file(int fd, std::size_t limit) {
  FileContent content;
  std::array<char, 65536> chunk;
  while (true) {
    const ssize_t count = ::read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      content.error = count < 0 ? errno : 0;
      return content;
    }
    content.bytes.append(chunk.data(), static_cast<std::size_t>(count));
    if (content.bytes.size() > limit) {
      content.error = EFBIG;
      return content;
    }
  }
}

FileContent read_file(const std::string& path, std::size_t limit) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) return {.error = errno};
  ::fcntl(fd.get(), F_SETFL, 0);
  return read_file(fd.get(), limit);
}

int write_all(int fd, std::string_view content) {
  return write_front(fd, content);
}

int write_file_atomically(const std::string& path, std::string_view content) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return write_in_place(path, content);
  }
  const std::string target = resolve_links(path);
  std::string temporary = target + ".XXXXXX";
  FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // makes it 0600
  if (!fd) return errno;
  int error = write_and_sync(fd.get(), content);
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return error;
  }
  sync_folder(folder_of(target));
  return 0;
}

int AppendFile::open(const std::string& path) {
  fd_ = open_to_write(path, O_APPEND | O_CREAT);
  return fd_ ? 0 : errno;
}

// One write is enough, unless the disk is full, which the next one says, or it is a pipe with
// little room.
int AppendFile::append(std::string_view lines) {
  std::string_view rest = lines;
  const int error = write_front(fd_.get(), rest);
  if (error != 0 && rest.size() != lines.size()) take_back(fd_.get(), lines.size() - rest.size());
  return error;
}

}  // namespace netkit
