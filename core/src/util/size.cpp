#include "util/decimal.hpp"

#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/size.hpp>

namespace netkit {
namespace {

constexpr std::string_view kUnits = "kMGT";

// The exponent of 1024 that a unit's letter stands for, 0 for none.
unsigned exponent_of(char letter) {
  if (letter == 'K') return 1;
  const std::size_t at = kUnits.find(letter);
  return at == std::string_view::npos ? 0 : static_cast<unsigned>(at) + 1;
}

}  // namespace

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
  throw UsageError("'" + std::string(text) + "' is not a size (write 1200, 64k, 1M or 2G)");
}

std::string format_size(std::uint64_t bytes) {
  std::size_t exponent = 0;
  while (exponent < kUnits.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++exponent;
  }
  std::string out;
  append_unsigned(out, bytes);
  if (exponent != 0) out += kUnits[exponent - 1];
  return out;
}

}  // namespace netkit
