// Errors and exit statuses. Exceptions are for set-up and usage: they carry the exit status and one
// sentence for stderr, and are caught once, in main. What happens per message or per read is a
// value (an errno, a reason), never an exception.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// Numbers above 2 follow BSD's <sysexits.h>; 124 is that of timeout(1).
enum class ExitStatus : int {
  done = 0,
  no = 1,  // ran, and the answer is no: no reply, a threshold missed
  usage = 2,
  name = 68,         // a name was not resolved
  unreachable = 69,  // refused, unreachable, closed by the peer; address in use, no such interface
  fault = 70,        // internal fault, or a plugin's
  output = 74,       // output or file error
  again = 75,        // try again: evicted, full
  protocol = 76,
  permission = 77,  // permission, authentication
  config = 78,
  timeout = 124,  // --timeout passed
};

struct ExitStatusInfo {
  ExitStatus status;
  std::string_view name;     // one word, as in the enumeration
  std::string_view meaning;  // one line for people
};

// Every status once, in ascending order; 128+n (ended by signal n) is not among them. Static
// storage. Any thread.
NETKIT_API std::span<const ExitStatusInfo> exit_statuses();

// The status of a run that signal `signo` ended: 128 + signo.
constexpr int signal_exit_status(int signo) {
  return 128 + signo;
}

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
