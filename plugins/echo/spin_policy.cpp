#include <echo/spin_policy.hpp>

namespace netkit::echo {

Duration SpinPolicy::stop() {
  *this = SpinPolicy();
  return Duration::zero();
}

void SpinPolicy::count(std::size_t size, Duration gap, bool polled) {
  ++batches_;
  if (polled) ++caught_;
  messages_ += size;
  elapsed_ += gap;
}

Duration SpinPolicy::on_batch(std::size_t size, Duration gap, bool polled) {
  if (rest_ > 0) {
    --rest_;
    return Duration::zero();
  }
  if (size > kSmall) return stop();
  count(size, gap, polled);
  if (!spinning_) {
    // One that comes late, since somebody else had the CPU, does not make traffic thin.
    dense_ = gap <= kDense ? dense_ + 1 : dense_ / 2;
    if (dense_ < kTrialAfter) return Duration::zero();
    const bool flood = elapsed_ < kFlood * static_cast<Duration::rep>(messages_);
    stop();
    spinning_ = !flood;
    return spinning_ ? kSpin : Duration::zero();
  }
  if (batches_ < kReview) return kSpin;
  // Polling that does not see the next request only takes time away from whoever is to send it.
  const bool useless = caught_ * 2 < batches_;
  const bool flood = elapsed_ < kFlood * static_cast<Duration::rep>(messages_);
  stop();
  if (useless || flood) {
    rest_ = kRest;
    return Duration::zero();
  }
  spinning_ = true;
  return kSpin;
}

}  // namespace netkit::echo
