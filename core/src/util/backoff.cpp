#include <algorithm>

#include <netkit/util/backoff.hpp>

namespace netkit {

namespace {

constexpr Duration kLeast = std::chrono::milliseconds(1);

}  // namespace

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
  const Duration most = std::max(options_.maximum, kLeast);
  const Duration first = std::clamp(options_.initial, kLeast, most);
  // Halving the maximum instead of doubling the first cannot overflow.
  if (failures_ >= 62 || first > most / (Duration::rep{1} << failures_)) return most;
  return first * (Duration::rep{1} << failures_);
}

}  // namespace netkit
