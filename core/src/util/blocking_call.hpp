// What may hold up the main thread before the loop runs: a name server that does not answer.
#pragma once

#include <atomic>

namespace netkit {

// On the main thread. While one lives, INT and TERM do not wait for the loop (see StopSignals).
class BlockingCall {
 public:
  BlockingCall() { under_way_ = true; }
  ~BlockingCall() { under_way_ = false; }
  BlockingCall(const BlockingCall&) = delete;
  BlockingCall& operator=(const BlockingCall&) = delete;

  static bool under_way() { return under_way_; }  // also from a signal handler

 private:
  static inline std::atomic<bool> under_way_ = false;
};

}  // namespace netkit
