// A file that grows by whole lines: histories and recordings.
#pragma once

#include <string>
#include <string_view>

#include <netkit/util/export.hpp>
#include <netkit/util/file_descriptor.hpp>

namespace netkit {

// [one thread] Several processes may append to one file; their lines do not mix.
class NETKIT_API AppendFile {
 public:
  AppendFile() = default;
  // Opens `path` for appending, makes it (0600) where it is missing. Returns 0 or an errno.
  int open(const std::string& path);
  // Appends `lines`, which the caller ends with a newline, in one write. Returns 0 or an errno.
  // When the disk is full in the middle, what was written of them is taken back, so that the file
  // ends with a whole line.
  int append(std::string_view lines);
  bool is_open() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }

 private:
  FileDescriptor fd_;
};

}  // namespace netkit
