// Round-trip time and retransmission timeout as RFC 6298 has them.
#pragma once

#include <algorithm>

#include <netkit/datagram/options.hpp>

namespace netkit::datagram {

class RttEstimator {
 public:
  // A sample of something sent once (Karn's rule is the caller's to keep).
  void add(Duration sample) {
    sample = std::max<Duration>(sample, std::chrono::microseconds(1));
    if (smoothed_ == Duration::zero()) {
      smoothed_ = sample;
      variation_ = sample / 2;
      return;
    }
    const Duration off = smoothed_ > sample ? smoothed_ - sample : sample - smoothed_;
    variation_ += (off - variation_) / 4;
    smoothed_ += (sample - smoothed_) / 8;
  }
  bool known() const { return smoothed_ != Duration::zero(); }
  Duration smoothed() const { return smoothed_; }
  // Without back-off.
  Duration timeout(const Options& options) const {
    if (!known()) return options.initial_rto;
    const Duration timeout =
        smoothed_ + std::max<Duration>(4 * variation_, std::chrono::milliseconds(1));
    return std::clamp(timeout, options.min_rto, std::max(options.min_rto, options.max_rto));
  }

 private:
  Duration smoothed_{};
  Duration variation_{};
};

// `base` doubled `times` times, at most `limit`.
inline Duration back_off(Duration base, unsigned times, Duration limit) {
  for (; times > 0 && base < limit; --times) base *= 2;
  return std::min(base, limit);
}

}  // namespace netkit::datagram
