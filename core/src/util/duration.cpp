#include "util/decimal.hpp"

#include <array>
#include <cstdint>

#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>

namespace netkit {
namespace {

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
  throw UsageError("'" + std::string(text) +
                   "' is not a duration (write 500ms, 5s, 2m, 1.5h or none)");
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

}  // namespace netkit
