#include <echo/spin_policy.hpp>

namespace netkit::echo {

Duration SpinPolicy::stop() {
  spinning_ = false;
  dense_ = 0;
  batches_ = 0;
  caught_ = 0;
  return Duration::zero();
}

Duration SpinPolicy::on_batch(std::size_t size, Duration gap, bool polled) {
  if (rest_ > 0) --rest_;
  if (size > kSmall || gap > kDense) return stop();
  if (!spinning_) {
    if (rest_ > 0 || ++dense_ < kTrialAfter) return Duration::zero();
    spinning_ = true;
    return kSpin;
  }
  ++batches_;
  if (polled) ++caught_;
  if (batches_ < kReview) return kSpin;
  // Polling that does not see the next request only takes time away from whoever is to send it.
  if (caught_ * 2 < batches_) {
    rest_ = kRestAfterMiss;
    return stop();
  }
  batches_ = 0;
  caught_ = 0;
  return kSpin;
}

}  // namespace netkit::echo
