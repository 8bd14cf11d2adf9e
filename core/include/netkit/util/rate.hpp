// Rates as people write them, and the bucket that holds somebody to one.
#pragma once

#include <optional>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Reads `100/s`, `100` (the same), `6/m`, `0.5/s` as events a second. Nothing for anything else: a
// sign, zero, more than 1e12 a second. Any thread, as the next.
NETKIT_API std::optional<double> read_rate(std::string_view text);
// The same, but throws UsageError: "'5x' is not a rate (write 100/s or 6/m)".
NETKIT_API double parse_rate(std::string_view text);

// Lets `per_second` events a second through, and up to `burst` at once after a rest. Pure: time is
// an argument, which must not go back. [one thread]
class NETKIT_API TokenBucket {
 public:
  // Full at `now`. A burst under one event is one.
  TokenBucket(double per_second, double burst, TimePoint now);
  // Takes `count` tokens, or none where there are fewer.
  bool take(TimePoint now, double count = 1);
  // When take(count) would succeed next: `now` or later; TimePoint::max() when `count` is over the
  // burst.
  TimePoint ready_at(TimePoint now, double count = 1) const;

 private:
  double tokens_at(TimePoint now) const;
  double per_second_;
  double burst_;
  double tokens_;
  TimePoint at_;
};

}  // namespace netkit
