// Bytes of peers as text for people: what is UTF-8, and what may be shown on a terminal; and the
// pieces that texts are made of.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <netkit/util/export.hpp>

namespace netkit {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Any thread, as all of these.
NETKIT_API bool is_valid_utf8(std::string_view bytes);

// Puts `bytes` into `out`, with U+FFFD for what is not UTF-8: one for each maximal subpart, as
// browsers decode (the Encoding standard's "UTF-8 decoder"). False, with `out` cut short, when that
// would be more than `limit` bytes.
NETKIT_API bool repair_utf8(std::string& out, std::string_view bytes, std::size_t limit);

// Appends `bytes` so that a terminal shows them and does nothing else. C0 but TAB (and LF where
// `keep_lf`), DEL, U+0080 to U+009F, bidirectional controls (U+202A to E, U+2066 to 9; the marks
// U+061C and U+200E/F turn nothing around) and bytes that are not UTF-8 become `\xhh` per byte,
// lower case; the rest is copied. Bytes are judged by what this call is given: a sequence that is
// cut at the end is escaped. Allocates nothing but the growth of `out`.
NETKIT_API void escape_text(std::string& out, std::string_view bytes, bool keep_lf);
NETKIT_API std::string escaped_text(std::string_view bytes, bool keep_lf = false);
// Whether escape_text() would append `bytes` as they are.
NETKIT_API bool is_shown_unchanged(std::string_view bytes, bool keep_lf);

// Without the ASCII white space (space, TAB, LF, VT, FF, CR) at both ends.
NETKIT_API std::string_view trim_white_space(std::string_view text);

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

// The value of a hexadecimal digit of either case, -1 for what is none.
constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char letter = static_cast<char>(digit | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// The number that all of `text` is: digits, and for signed types a `-` before them. Nothing for
// anything else, and for what the type cannot hold.
template <std::integral Integer>
std::optional<Integer> read_integer(std::string_view text) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// `1 client`, `2 clients`: `thing` takes an s.
NETKIT_API std::string counted(std::uint64_t count, std::string_view thing);

}  // namespace netkit
