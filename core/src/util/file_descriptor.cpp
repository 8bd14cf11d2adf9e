#include <unistd.h>

#include <netkit/util/file_descriptor.hpp>

namespace netkit {

void FileDescriptor::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  // Linux frees the number even when close() is interrupted, so it is not tried again.
  if (old >= 0) ::close(old);
}

}  // namespace netkit
