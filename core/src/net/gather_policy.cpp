#include "net/gather_policy.hpp"

#include <algorithm>

namespace netkit {

double GatherPolicy::interval() const {
  return static_cast<double>(elapsed_.count()) / static_cast<double>(messages_);
}

double GatherPolicy::mean() const {
  return static_cast<double>(messages_) / batches_;
}

Duration GatherPolicy::start(Phase phase) {
  phase_ = phase;
  batches_ = 0;
  messages_ = 0;
  elapsed_ = Duration::zero();
  return phase == Phase::trial || phase == Phase::run ? kPause : Duration::zero();
}

Duration GatherPolicy::after_measure() {
  interval_before_ = interval();
  mean_before_ = mean();
  const auto flood = static_cast<double>(kFlood.count());
  return start(interval_before_ < flood && mean_before_ < kEnough ? Phase::trial : Phase::measure);
}

Duration GatherPolicy::after_trial() {
  const bool slower = interval() > interval_before_ * 1.15;
  const bool larger = mean() >= kFew && mean() > mean_before_ * 1.5;
  if (!slower && larger) {
    rest_ = kRest;
    spells_ = 0;
    return start(Phase::run);
  }
  return start(Phase::rest);
}

// Little traffic: not worth a pause, and to be noticed before the next comparison.
Duration GatherPolicy::after_spell() {
  if (mean() < kFew) return start(Phase::measure);
  return start(++spells_ < kSpells ? Phase::run : Phase::measure);
}

Duration GatherPolicy::on_batch(std::size_t size, Duration gap) {
  ++batches_;
  messages_ += size;
  elapsed_ += std::min(gap, kLong);
  switch (phase_) {
    case Phase::measure:
      return batches_ < kMeasured ? Duration::zero() : after_measure();
    case Phase::trial:
      return batches_ < kTrial ? kPause : after_trial();
    case Phase::run:
      return batches_ < kTrial ? kPause : after_spell();
    case Phase::rest:
      if (batches_ < rest_) return Duration::zero();
      rest_ = std::min(2 * rest_, kMostRest);
      return start(Phase::measure);
  }
  return Duration::zero();
}

}  // namespace netkit
