#include <algorithm>

#include <netkit/util/rate.hpp>

namespace netkit {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

TokenBucket::TokenBucket(double per_second, double burst, TimePoint now)
    : per_second_(per_second), burst_(std::max(burst, 1.0)), tokens_(burst_), at_(now) {}

double TokenBucket::tokens_at(TimePoint now) const {
  return std::min(burst_, tokens_ + seconds(now - at_) * per_second_);
}

bool TokenBucket::take(TimePoint now, double count) {
  const double tokens = tokens_at(now);
  if (tokens < count) return false;  // the time passed since is still to be counted
  tokens_ = tokens - count;
  at_ = now;
  return true;
}

TimePoint TokenBucket::ready_at(TimePoint now, double count) const {
  if (count > burst_) return TimePoint::max();
  const double missing = count - tokens_at(now);
  if (missing <= 0) return now;
  const double wait = missing / per_second_;
  if (wait >= 9e9) return TimePoint::max();
  // A nanosecond more, so that rounding never makes a caller come too early and spin.
  return saturating_add(now, Duration(static_cast<Duration::rep>(wait * 1e9) + 1));
}

}  // namespace netkit
