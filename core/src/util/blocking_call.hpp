// Calls that may block the main thread before the loop runs, such as a query to a name server that
// does not answer.
#pragma once

#include <atomic>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// On the main thread. While one lives, INT and TERM do not wait for the loop (see StopSignals).
class NETKIT_API BlockingCall {
 public:
  BlockingCall() { under_way_ = true; }
  ~BlockingCall() { under_way_ = false; }
  BlockingCall(const BlockingCall&) = delete;
  BlockingCall& operator=(const BlockingCall&) = delete;

  static bool under_way() { return under_way_; }  // also from a signal handler

  // When each must be over, by --timeout; TimePoint::max(): no limit.
  static void set_deadline(TimePoint deadline) { deadline_ = deadline.time_since_epoch().count(); }
  static TimePoint deadline() { return TimePoint(Duration(deadline_)); }

 private:
  static inline std::atomic<bool> under_way_ = false;
  static inline std::atomic<Duration::rep> deadline_ = Duration::max().count();
};

}  // namespace netkit
