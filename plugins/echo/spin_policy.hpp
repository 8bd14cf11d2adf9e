// When it pays to poll for a moment before blocking: while requests come one by one and close
// together, so that each would otherwise wait for the kernel to wake the server up.
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
  static constexpr unsigned kRestAfterMiss = 4096;  // batches without another trial
  static constexpr Duration kDense = std::chrono::microseconds(200);

  Duration stop();

  bool spinning_ = false;
  unsigned dense_ = 0;    // small batches in a row
  unsigned batches_ = 0;  // since polling began, and how many of them it caught
  unsigned caught_ = 0;
  unsigned rest_ = 0;
};

}  // namespace netkit::echo
