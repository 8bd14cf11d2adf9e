#include <algorithm>

#include <netkit/util/backoff.hpp>

namespace netkit {

Duration Backoff::next(TimePoint now, double chance) {
  if (connected_at_ != TimePoint::max() && now - connected_at_ >= options_.healthy) reset();
  connected_at_ = TimePoint::max();
  const auto most = static_cast<double>(ceiling().count());
  ++failures_;
  return Duration(static_cast<Duration::rep>(most * chance));
}

void Backoff::connected(TimePoint now) {
  connected_at_ = now;
}

void Backoff::reset() {
  failures_ = 0;
  connected_at_ = TimePoint::max();
}

Duration Backoff::ceiling() const {
  const Duration first = std::min(options_.initial, options_.maximum);
  // Halving the maximum instead of doubling the first cannot overflow.
  if (failures_ >= 62 || first > options_.maximum / (Duration::rep{1} << failures_)) {
    return options_.maximum;
  }
  return first * (Duration::rep{1} << failures_);
}

}  // namespace netkit
