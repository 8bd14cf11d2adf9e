// Ownership of a file descriptor, and how many there may be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <netkit/util/export.hpp>

namespace netkit {

// Closes on destruction. Move-only; -1 is none. Any thread.
class NETKIT_API FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~FileDescriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }  // the caller owns it now
  void reset(int fd = -1);                          // closes what it had

 private:
  int fd_ = -1;
};

// Raises the soft limit to the hard one where it is under `wanted`, as servers with many clients
// have it, and returns the limit there is then. Never fails: what cannot be raised stays. Not for
// programs that use select(2). Before threads are started.
NETKIT_API std::size_t raise_descriptor_limit(std::size_t wanted = SIZE_MAX);

}  // namespace netkit
