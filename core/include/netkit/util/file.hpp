// Descriptors, and files that are read and written whole or by whole lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <netkit/util/export.hpp>

namespace netkit {

// Closes on destruction. Move-only; -1 means none. Any thread.
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
  void reset(int fd = -1);                          // closes the previous one

 private:
  int fd_ = -1;
};

// Raises the soft limit of descriptors to the hard one if it is below `wanted`, for servers with
// many clients, and returns the limit in effect. Never fails: what cannot be raised stays. Not for
// programs that use select(2). To be called before threads are started.
NETKIT_API std::size_t raise_descriptor_limit(std::size_t wanted = SIZE_MAX);

struct FileContent {
  std::string bytes{};
  int error = 0;  // an errno; EFBIG: there are more than `limit` bytes. Then `bytes` is incomplete
};

// Reads `fd` to its end, and blocks while there is nothing to read. Any thread, like the next
// three. Opening a named pipe does not wait for a writer: without one it is empty.
NETKIT_API FileContent read_file(int fd, std::size_t limit);
NETKIT_API FileContent read_file(const std::string& path, std::size_t limit);

// Writes all of `content` to a blocking descriptor. Returns 0 or the errno of the write that
// failed; then some of it may have been written.
NETKIT_API int write_all(int fd, std::string_view content);

// Writes `content` to a new file (0600) in the same folder, syncs it, and renames it to `path`, so
// that after a crash there is the old content or the new. A symbolic link is followed. A file that
// exists and is not a regular one (a device, a pipe) is written to directly. Returns 0 or an errno;
// on an error the old content is still there and nothing is left behind.
NETKIT_API int write_file_atomically(const std::string& path, std::string_view content);

// A file that grows by whole lines: histories and recordings. [one thread] Several processes may
// append to one file; their lines do not mix.
class NETKIT_API AppendFile {
 public:
  AppendFile() = default;
  // Opens `path` for appending, creating it (0600) if it is missing. Returns 0 or an errno: ENXIO
  // for a named pipe that nobody reads.
  int open(const std::string& path);
  // Appends `lines`, which the caller ends with a newline, in one write. Returns 0 or an errno.
  // When the disk is full in the middle, what was written of them is removed again, so that the
  // file ends with a whole line.
  int append(std::string_view lines);
  bool is_open() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }

 private:
  FileDescriptor fd_;
};

}  // namespace netkit
