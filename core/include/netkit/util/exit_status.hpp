// The exit statuses of every netkit command. This table is the only place that lists them: the help
// topic `exit-status`, the man pages' check and the end of main read it.
#pragma once

#include <span>
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

}  // namespace netkit
