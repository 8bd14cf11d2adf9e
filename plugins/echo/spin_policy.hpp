// When it pays to poll for a moment before blocking: while requests come one by one and close
// together, so that each would otherwise wait for the kernel to wake the server up. Not when they
// come so fast that they are worth waiting for: then polling only makes the batches smaller.
#pragma once

#include <cstddef>

#include <netkit/util/clock.hpp>

namespace netkit::echo {

// Pure. [one thread]
class SpinPolicy {
 public:
  static constexpr Duration kSpin = std::chrono::microseconds(20);

  // A batch of `size` messages was read `gap` after the batch before; `polled` tells whether it
  // came without a blocking wait in between. Returns how long to poll from now on, 0 for not at
  // all.
  Duration on_batch(std::size_t size, Duration gap, bool polled);

 private:
  static constexpr std::size_t kSmall = 4;     // messages; larger batches need no polling
  static constexpr unsigned kTrialAfter = 32;  // small batches close together
  static constexpr unsigned kReview = 64;      // batches; half of them must have come by polling
  static constexpr unsigned kRest = 4096;      // batches without another trial
  static constexpr Duration kDense = std::chrono::microseconds(200);
  static constexpr Duration kFlood =
      std::chrono::microseconds(5);  // a message and less: no polling

  Duration stop();
  void count(std::size_t size, Duration gap, bool polled);

  bool spinning_ = false;
  unsigned dense_ = 0;    // small batches in a row
  unsigned batches_ = 0;  // under review, and how many of them polling caught
  unsigned caught_ = 0;
  std::size_t messages_ = 0;  // in them
  Duration elapsed_{};
  unsigned rest_ = 0;
};

}  // namespace netkit::echo
