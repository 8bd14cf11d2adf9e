#include <algorithm>
#include <sys/resource.h>
#include <unistd.h>

#include <netkit/util/file_descriptor.hpp>

namespace netkit {

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

}  // namespace netkit
