// Durations, sizes and rates as people write them, and the bucket that limits a rate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Reads `500ms`, `5s`, `2m`, `1.5h`, also `d`, `us`, `ns`; a bare number is seconds; `none` is
// kNever. Decimals are exact down to a nanosecond; what is finer is cut off. Returns nothing for
// anything else: a sign, white space, another unit, more than 292 years. Any thread, like
// everything here.
NETKIT_API std::optional<Duration> read_duration(std::string_view text);

// The same, but throws UsageError: "'5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)".
NETKIT_API Duration parse_duration(std::string_view text);

// In the largest unit that needs at most one decimal: `90s` is `1.5m`, `1250ms` stays. Reading it
// gives the same duration again. Negative durations have a `-`.
NETKIT_API std::string format_duration(Duration duration);

// Reads `1200`, `64k`, `1M`, `1.5G`: powers of 1024 with `k`, `K`, `M`, `G`, `T`, and optionally
// `B` or `iB` after them (`64kB`, `64KiB`, `100B`). Returns nothing for anything else: a sign,
// white space, another unit, 2^63 or more.
NETKIT_API std::optional<std::uint64_t> read_size(std::string_view text);

// The same, but throws UsageError: "'5x' is not a size (write 1200, 64k, 1M or 2G)".
NETKIT_API std::uint64_t parse_size(std::string_view text);

// In the largest unit that divides it: `64k`, `1M`, `1200`. Reading it gives the same size again.
NETKIT_API std::string format_size(std::uint64_t bytes);

// Reads `100/s`, `100` (the same), `6/m`, `0.5/s` as events a second. Returns nothing for anything
// else: a sign, less than 1e-9 or more than 1e12 a second.
NETKIT_API std::optional<double> read_rate(std::string_view text);
// The same, but throws UsageError: "'5x' is not a rate (write 100/s or 6/m)".
NETKIT_API double parse_rate(std::string_view text);

// Reads `12`, `-1.5`, `.5`: a finite number without an exponent. Returns nothing for anything else.
NETKIT_API std::optional<double> read_number(std::string_view text);

// Reads `5%`, `0.5%`, `5` as a percentage: 5. Returns nothing for anything else, or outside of 0 to
// 100.
NETKIT_API std::optional<double> read_percent(std::string_view text);

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
