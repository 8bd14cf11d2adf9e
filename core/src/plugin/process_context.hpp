// What connects a run to its process and its parent: standard streams, signals, readiness.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// Fills each standard stream that is closed with a descriptor that can neither be read nor written
// (EBADF), so that no socket gets its number and is written to as standard output. To be made
// before anything is opened; undoes nothing.
class NETKIT_API StandardStreams {
 public:
  StandardStreams();
};

// INT and TERM end the process as usual until keep_for_loop(). From then on the first one is kept
// for the loop, so that the totals are still reported; but not during a BlockingCall, so that a
// name server that does not answer can be interrupted. From hand_over() on the loop receives it. A
// second one ends the process at once, whatever it is doing, with the terminal restored. USR1 does
// nothing before hand_over(). One at a time in a process, on the main thread. SIGPIPE is ignored
// meanwhile.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();  // back to how it was, but for the mask
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  void keep_for_loop();
  // Whether the first came from a key, Ctrl-C, and not from kill(2).
  static bool was_typed();
  // What a second signal does.
  [[noreturn]] static void end_now(int signo);
  // Readable from the first INT or TERM on, until the loop has heard of it.
  int fd() const { return arrived_.get(); }
  // Throws SystemError.
  void hand_over(EventLoop& loop, const std::function<void(int signo)>& callback);

 private:
  FileDescriptor arrived_;
  Watch watch_;
  Hook before_wait_;
  Hook totals_;
};

// Ends the process by the signal's default action. What has to be cleaned up is clean already.
[[noreturn]] NETKIT_API void end_by_signal(int signo);

// Writes `lines` to the descriptor and closes it, unless it is a standard stream. Returns 0 or an
// errno.
NETKIT_API int write_and_close(int fd, std::string_view lines);

// Sends `state` (`READY=1`) to the socket that NOTIFY_SOCKET names, as sd_notify(3) does; nothing
// where it is not set. A manager that does not listen is no error.
NETKIT_API void notify_manager(std::string_view state);

}  // namespace netkit
