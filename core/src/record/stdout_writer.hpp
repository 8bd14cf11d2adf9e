// Writing to standard output without being deaf meanwhile.
#pragma once

#include "util/byte_parts.hpp"

#include <cstddef>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file_descriptor.hpp>

namespace netkit {

// A reader that does not read must not keep netkit from ending when it is told to. A pipe is
// written to through an open file description of its own, which is non-blocking (that of stdout is
// shared with other programs and stays as it is), and while it is full, `stop_fd` is watched too.
// [one thread]
class NETKIT_API StdoutWriter {
 public:
  // Both descriptors stay the caller's. `stop_fd` is readable when the run was told to stop; -1:
  // none.
  StdoutWriter(int fd, int stop_fd, const Clock& clock);

  // What became of a write: how many bytes are written, and 0 or an errno.
  struct Result {
    std::size_t written = 0;
    int error = 0;
  };
  // Writes what the reader of a pipe has room for: EAGAIN when that is not all. What is no pipe is
  // waited for.
  Result write_some(ByteParts content);
  // Writes all of `content`, or says why not: EINTR when the run was told to stop while nobody
  // read, ETIMEDOUT when the deadline passed meanwhile, EPIPE when nobody will read any more,
  // ENOSPC and others.
  Result write_all(ByteParts content);
  // Writable when there is room again.
  int fd() const { return fd_; }
  // No wait for a reader lasts longer; TimePoint::max() is never.
  void set_deadline(TimePoint deadline) { deadline_ = deadline; }
  // From now on the deadline is what this is after the reader took something.
  void set_patience(Duration patience);

 private:
  int wait() const;

  int fd_;
  int stop_fd_;
  const Clock& clock_;
  FileDescriptor own_;
  TimePoint deadline_ = TimePoint::max();
  Duration patience_ = kNever;
};

}  // namespace netkit
