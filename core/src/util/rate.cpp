#include "util/decimal.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <netkit/util/error.hpp>
#include <netkit/util/rate.hpp>

namespace netkit {
namespace {

constexpr double kMostPerSecond = 1e12;
constexpr std::size_t kRowSize = 8;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0xA0761D6478BD642FULL) * (b ^ 0xE7037ED1A0B428DBULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
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

SourceRateLimiter::SourceRateLimiter(const Options& options) : options_(options) {
  if (options_.burst <= 0) options_.burst = options_.per_second;
  options_.burst = std::max(options_.burst, 1.0);
  rows_ = std::bit_ceil(std::max(options_.sources, kRowSize)) / kRowSize;
}

double SourceRateLimiter::refilled(const Entry& entry, TimePoint now) const {
  return std::min(options_.burst, entry.tokens + seconds(now - entry.at) * options_.per_second);
}

SourceRateLimiter::Entry& SourceRateLimiter::find(std::uint64_t high, std::uint64_t low,
                                                  TimePoint now) {
  if (entries_.empty()) entries_.resize(rows_ * kRowSize);
  const std::uint64_t hash = mix(mix(high, options_.seed), low);
  Entry* const row = &entries_[(hash & (rows_ - 1)) * kRowSize];
  Entry* oldest = row;
  for (Entry* entry = row; entry != row + kRowSize; ++entry) {
    if (entry->at != TimePoint::min() && entry->high == high && entry->low == low) return *entry;
    if (entry->at < oldest->at) oldest = entry;
  }
  if (oldest->at != TimePoint::min() && refilled(*oldest, now) < options_.burst) ++forgotten_;
  *oldest = {high, low, now, options_.burst};
  return *oldest;
}

bool SourceRateLimiter::allow(const IpAddress& source, TimePoint now) {
  if (options_.per_second <= 0) return true;
  std::uint64_t high = 0;
  std::memcpy(&high, source.bytes().data(), source.is_v4() ? 4 : 8);
  const std::uint64_t low = std::uint64_t{source.scope_id()} << 1 | (source.is_v6() ? 1 : 0);
  Entry& entry = find(high, low, now);
  entry.tokens = refilled(entry, now);
  entry.at = now;
  if (entry.tokens < 1) {
    ++refused_;
    return false;
  }
  entry.tokens -= 1;
  return true;
}

}  // namespace netkit
