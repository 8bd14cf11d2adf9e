#include "util/wide.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxFractionDigits = 18;

std::size_t count_digits(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                  text.begin());
}

bool read_digits(std::string_view digits, std::uint64_t& value) {
  if (digits.empty()) return true;
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{};
}

// A number of people's, `12`, `1.5`, `.5`, read exactly and scaled to a whole number of units.
struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;  // of `denominator`; digits after the 18th are cut off
  std::uint64_t denominator = 1;

  // The value times `unit`, cut to a whole number; nothing when it is over `limit`.
  std::optional<std::uint64_t> times(std::uint64_t unit, std::uint64_t limit) const;
};

std::optional<std::uint64_t> Decimal::times(std::uint64_t unit, std::uint64_t limit) const {
  const Wide value =
      static_cast<Wide>(whole) * unit + static_cast<Wide>(fraction) * unit / denominator;
  if (value > limit) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

// Takes the number from the front of `text`. Nothing, and `text` as it was, where there is none (no
// digit, no digit after a point) or it does not fit into 64 bits.
std::optional<Decimal> take_decimal(std::string_view& text) {
  const std::size_t whole_digits = count_digits(text);
  std::string_view rest = text.substr(whole_digits);
  std::size_t fraction_digits = 0;
  if (!rest.empty() && rest.front() == '.') {
    fraction_digits = count_digits(rest.substr(1));
    if (fraction_digits == 0) return std::nullopt;
  }
  if (whole_digits + fraction_digits == 0) return std::nullopt;

  Decimal decimal;
  if (!read_digits(text.substr(0, whole_digits), decimal.whole)) return std::nullopt;
  if (fraction_digits > 0) {
    const std::size_t used = std::min(fraction_digits, kMaxFractionDigits);
    read_digits(rest.substr(1, used), decimal.fraction);
    for (std::size_t i = 0; i < used; ++i) decimal.denominator *= 10;
    rest.remove_prefix(1 + fraction_digits);
  }
  text = rest;
  return decimal;
}

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::array kUnits{Unit{"d", 86'400 * kSecond},
                            Unit{"h", 3'600 * kSecond},
                            Unit{"m", 60 * kSecond},
                            Unit{"s", kSecond},
                            Unit{"ms", kSecond / 1'000},
                            Unit{"us", kSecond / 1'000'000},
                            Unit{"ns", 1}};

// kNever is the largest duration there is, so the largest that can be written is one less.
constexpr auto kLongest = static_cast<std::uint64_t>(kNever.count()) - 1;

constexpr std::string_view kSizeUnits = "kMGT";

// The exponent of 1024 that a unit's letter stands for, 0 for none.
unsigned exponent_of(char letter) {
  if (letter == 'K') return 1;
  const std::size_t at = kSizeUnits.find(letter);
  return at == std::string_view::npos ? 0 : static_cast<unsigned>(at) + 1;
}

constexpr double kMostPerSecond = 1e12;
constexpr double kLeastPerSecond = 1e-9;  // one in thirty years, which a Duration holds

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::optional<Duration> read_duration(std::string_view text) {
  if (text == "none") return kNever;
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  if (text.empty()) text = "s";
  for (const Unit& unit : kUnits) {
    if (text != unit.name) continue;
    const auto nanoseconds = number->times(unit.nanoseconds, kLongest);
    if (!nanoseconds) return std::nullopt;
    return Duration(static_cast<Duration::rep>(*nanoseconds));
  }
  return std::nullopt;
}

Duration parse_duration(std::string_view text) {
  if (const auto duration = read_duration(text)) return *duration;
  throw UsageError(fmt::format("'{}' is not a duration (write 500ms, 5s, 2m, 1.5h or none)", text));
}

std::string format_duration(Duration duration) {
  if (duration == kNever) return "none";
  std::string out;
  auto rest = static_cast<std::uint64_t>(duration.count());
  if (duration < Duration::zero()) {
    out += '-';
    rest = 0 - rest;
  }
  if (rest == 0) return "0s";
  for (const Unit& unit : kUnits) {
    const bool tenths = unit.nanoseconds > 1;
    if (rest < unit.nanoseconds || rest % (tenths ? unit.nanoseconds / 10 : 1) != 0) continue;
    append_unsigned(out, rest / unit.nanoseconds);
    if (const std::uint64_t tenth = tenths ? rest % unit.nanoseconds / (unit.nanoseconds / 10) : 0;
        tenth != 0) {
      out += '.';
      append_unsigned(out, tenth);
    }
    out += unit.name;
    break;
  }
  return out;
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  const unsigned exponent = text.empty() ? 0 : exponent_of(text.front());
  if (exponent != 0) text.remove_prefix(1);
  if (!text.empty() && text != "B" && !(exponent != 0 && text == "iB")) return std::nullopt;
  return number->times(std::uint64_t{1} << (10 * exponent), INT64_MAX);
}

std::uint64_t parse_size(std::string_view text) {
  if (const auto size = read_size(text)) return *size;
  throw UsageError(fmt::format("'{}' is not a size (write 1200, 64k, 1M or 2G)", text));
}

std::string format_size(std::uint64_t bytes) {
  std::size_t exponent = 0;
  while (exponent < kSizeUnits.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++exponent;
  }
  std::string out;
  append_unsigned(out, bytes);
  if (exponent != 0) out += kSizeUnits[exponent - 1];
  return out;
}

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
  if (per_second < kLeastPerSecond || per_second > kMostPerSecond) return std::nullopt;
  return per_second;
}

double parse_rate(std::string_view text) {
  if (const auto rate = read_rate(text)) return *rate;
  throw UsageError(fmt::format("'{}' is not a rate (write 100/s or 6/m)", text));
}

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> read_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  const auto value = read_number(text);
  if (!value || *value < 0 || *value > 100) return std::nullopt;
  return value;
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
