#include "util/decimal.hpp"

#include <algorithm>
#include <charconv>

namespace netkit {
namespace {

__extension__ using Wide = unsigned __int128;

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

}  // namespace

std::optional<std::uint64_t> Decimal::times(std::uint64_t unit, std::uint64_t limit) const {
  const Wide value =
      static_cast<Wide>(whole) * unit + static_cast<Wide>(fraction) * unit / denominator;
  if (value > limit) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

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

}  // namespace netkit
