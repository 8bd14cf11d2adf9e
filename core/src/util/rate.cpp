#include "util/decimal.hpp"

#include <algorithm>

#include <netkit/util/error.hpp>
#include <netkit/util/rate.hpp>

namespace netkit {
namespace {

constexpr double kMostPerSecond = 1e12;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::optional<double> read_rate(std::string_view text) {
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  double per_second =
      static_cast<double>(number->whole) +
      static_cast<double>(number->fraction) / static_cast<double>(number->denominator);
  if (text == "/m") {
    per_second /= 60;
  } else if (!text.empty() && text != "/s") {
    return std::nullopt;
  }
  if (per_second <= 0 || per_second > kMostPerSecond) return std::nullopt;
  return per_second;
}

double parse_rate(std::string_view text) {
  if (const auto rate = read_rate(text)) return *rate;
  throw UsageError("'" + std::string(text) + "' is not a rate (write 100/s or 6/m)");
}

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
