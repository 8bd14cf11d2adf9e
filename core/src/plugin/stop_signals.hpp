// INT, TERM and USR1 of the process, before and while the loop runs.
#pragma once

#include <functional>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// INT and TERM end the process as they usually do, until keep_for_loop(). Then the first is kept
// for the loop, so that what was sent by then is told; but not during a BlockingCall, so that a
// name server that does not answer can be interrupted, and a second one ends the process. From
// hand_over() on the loop reads them. USR1 does nothing before that.
// Threads that were made before have them unblocked: what they catch is passed on to the main
// thread. One at a time in a process, on the main thread. SIGPIPE is ignored meanwhile.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();  // back to how it was, but for the mask
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  void keep_for_loop();
  // Throws SystemError.
  void hand_over(EventLoop& loop, const std::function<void(int signo)>& callback);

 private:
  std::vector<Hook> hooks_;
};

// Ends the process by the signal's default action. What has to be cleaned up is clean already.
[[noreturn]] NETKIT_API void end_by_signal(int signo);

}  // namespace netkit
