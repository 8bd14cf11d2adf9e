// Decimal digits in a text: ASCII, whatever the locale. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace netkit {

// How many digits `text` begins with.
constexpr std::size_t leading_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// Whether `text` is digits and nothing else: at least one, no sign.
constexpr bool is_digits(std::string_view text) {
  return !text.empty() && leading_digits(text) == text.size();
}

}  // namespace netkit
