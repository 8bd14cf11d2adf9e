// Child processes on the event loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

struct ProcessOptions {
  // The program, searched on PATH, and its arguments. Empty: `sh -c shell_command`.
  std::vector<std::string> argv{};
  std::string shell_command{};
  // Added to this process's environment.
  std::vector<std::pair<std::string, std::string>> environment{};
  bool pipe_stdin = false;   // else /dev/null
  bool pipe_stdout = false;  // else shared with this process
  bool pipe_stderr = false;  // else shared
  bool own_group = false;    // a process group of its own, so that kill() reaches its children too
  // For shells, whose programs share more with them:
  bool share_stdin = false;        // standard input is this process's
  bool share_descriptors = false;  // so is what is not close-on-exec
  pid_t group = 0;                 // of this process group, with kill() for itself alone
  bool foreground = false;         // its group becomes the foreground of standard input's terminal
  // dup2(first, second) in the child, in this order, after all of the above.
  std::vector<std::pair<int, int>> copies{};
};

// How a process ended, as a shell would say it: its exit status, or 128+n for a signal.
struct ProcessEnd {
  int status = 0;
  int signo = 0;  // 0: it exited
};

// A running child. [loop] It starts with all signals unblocked and at their default actions
// (SIGPIPE included) and with no descriptor of ours but the pipes asked for. Move-only through
// unique_ptr.
class NETKIT_API Process {
 public:
  // Throws SystemError naming the program (74 where it does not exist, 77 where it may not run).
  // `on_end` is called once, on the loop, when the child has ended; not after destruction.
  static std::unique_ptr<Process> start(EventLoop& loop, const ProcessOptions& options,
                                        std::function<void(ProcessEnd)> on_end);
  // Does not wait: a child that still runs (its group where it has one) is sent TERM, and KILL half
  // a second later. The loop does that; if it is destroyed first, its destructor does, and all
  // children have ended when it returns.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const;
  bool running() const;
  void kill(int signo);
  // To be called after a SIGCHLD: true if it has been stopped, false if continued, else nothing.
  std::optional<bool> take_stop_change();
  // This side's ends of the pipes, non-blocking; -1 where none was asked for or it was taken.
  FileDescriptor take_stdin();
  FileDescriptor take_stdout();
  FileDescriptor take_stderr();

 private:
  struct Impl;
  explicit Process(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace netkit
