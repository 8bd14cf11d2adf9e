#include "util/write_all.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <netkit/util/append_file.hpp>

namespace netkit {
namespace {

constexpr mode_t kPrivate = 0600;

// Cuts the `written` bytes off the end again, unless somebody else has appended since.
void take_back(int fd, std::size_t written) {
  const off_t end = ::lseek(fd, 0, SEEK_CUR);  // after an append it stands behind what was written
  struct stat info {};
  if (end < 0 || ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != end) return;
  if (::ftruncate(fd, end - static_cast<off_t>(written)) != 0) return;
}

}  // namespace

int AppendFile::open(const std::string& path) {
  fd_.reset(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, kPrivate));
  return fd_ ? 0 : errno;
}

int AppendFile::append(std::string_view lines) {
  ssize_t written = 0;
  do {
    written = ::write(fd_.get(), lines.data(), lines.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  const auto done = static_cast<std::size_t>(written);
  if (done == lines.size()) return 0;
  // A short write: the disk is full (the next write says so), or it is a pipe with little room.
  const int error = write_all(fd_.get(), lines.substr(done));
  if (error != 0) take_back(fd_.get(), done);
  return error;
}

}  // namespace netkit
