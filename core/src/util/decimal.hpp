// A number of people's, `12`, `1.5`, `.5`, read exactly and scaled to a whole number of units.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace netkit {

struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;  // of `denominator`; digits after the 18th are cut off
  std::uint64_t denominator = 1;

  // The value times `unit`, cut to a whole number; nothing when it is over `limit`.
  std::optional<std::uint64_t> times(std::uint64_t unit, std::uint64_t limit) const;
};

// Takes the number from the front of `text`. Nothing, and `text` as it was, where there is none (no
// digit, no digit after a point) or it does not fit into 64 bits.
std::optional<Decimal> take_decimal(std::string_view& text);

}  // namespace netkit
