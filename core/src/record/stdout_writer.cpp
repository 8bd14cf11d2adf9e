#include "record/stdout_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace netkit {
namespace {

FileDescriptor reopen_pipe(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode)) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

}  // namespace

StdoutWriter::StdoutWriter(int fd, int stop_fd, const Clock& clock)
    : fd_(fd), stop_fd_(stop_fd), clock_(clock), own_(reopen_pipe(fd)) {
  if (own_) fd_ = own_.get();
}

void StdoutWriter::set_patience(Duration patience) {
  patience_ = patience;
  deadline_ = saturating_add(clock_.now(), patience);
}

int StdoutWriter::wait() const {
  pollfd waits[2] = {{fd_, POLLOUT, 0}, {stop_fd_, POLLIN, 0}};
  int timeout = -1;
  if (deadline_ != TimePoint::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock_.now());
    if (left.count() <= 0) return ETIMEDOUT;
    timeout = static_cast<int>(std::min<std::int64_t>(left.count(), INT32_MAX));
  }
  const int ready = ::poll(waits, 2, timeout);
  if (ready < 0) return errno == EINTR ? 0 : errno;
  if (ready == 0) return ETIMEDOUT;
  if (waits[0].revents == 0 && waits[1].revents != 0) return EINTR;
  return 0;
}

StdoutWriter::Result StdoutWriter::write_some(ByteParts content) {
  Result result;
  while (result.error == 0 && content.size() > 0) {
    const ssize_t written = content.write_to(fd_);
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
      result.written += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      result.error = errno;
    }
  }
  if (result.written > 0 && patience_ != kNever) set_patience(patience_);
  return result;
}

StdoutWriter::Result StdoutWriter::write_all(ByteParts content) {
  Result result;
  do {
    const Result some = write_some(content);
    content.remove_prefix(some.written);
    result.written += some.written;
    result.error = some.error == EAGAIN ? wait() : some.error;
  } while (result.error == 0 && content.size() > 0);
  return result;
}

}  // namespace netkit
