// Exceptions for set-up and usage. They carry the exit status and one sentence for stderr, and are
// caught once, in main. What happens per message or per read is a value (an errno, a reason), never
// an exception.
#pragma once

#include <stdexcept>
#include <string>

#include <netkit/util/exit_status.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A sentence without the `netkit: ` in front and without a full stop: what was wrong and what would
// be right.
class NETKIT_API Error : public std::runtime_error {
 public:
  Error(ExitStatus status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

// The command line, the environment or a value in them is wrong: exit 2.
class NETKIT_API UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitStatus::usage, message) {}
};

// A plugin cannot be loaded or broke its contract: exit 70.
class NETKIT_API PluginError : public Error {
 public:
  explicit PluginError(const std::string& message) : Error(ExitStatus::fault, message) {}
};

// A system call failed: `what` ends with the text of the errno, whose usual exit status it takes
// (exit_status_of) unless one is given.
class NETKIT_API SystemError : public Error {
 public:
  SystemError(int error_number, const std::string& what);
  SystemError(int error_number, const std::string& what, ExitStatus status);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

// The exit status that fits an errno: 77 for EACCES and EPERM, 69 for the network's (ECONNREFUSED,
// EADDRINUSE, ENETUNREACH, ...), 74 for the file system's (ENOSPC, ENOENT, EIO, ...), 70 for the
// rest.
NETKIT_API ExitStatus exit_status_of(int error_number);

// The text of an errno in the words of strerror, without its capital letter ("connection refused").
// Any thread.
NETKIT_API std::string error_text(int error_number);

}  // namespace netkit
