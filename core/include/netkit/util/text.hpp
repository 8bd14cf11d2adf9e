// Bytes of peers as text: whether they are UTF-8, and how to show them at a terminal and in JSON;
// and the pieces of messages.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <netkit/util/export.hpp>

namespace netkit {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Any thread, like everything
// here.
NETKIT_API bool is_valid_utf8(std::string_view bytes);

// Whether the environment's locale uses UTF-8, so that a terminal shows more than ASCII.
NETKIT_API bool locale_is_utf8();

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

// Appends `bytes` as a JSON string with its quotes. What a terminal would obey (C0, DEL, C1,
// bidirectional controls) is written as `\u` escapes, which mean the same. False, and nothing is
// appended, where the bytes are not UTF-8.
NETKIT_API bool append_json_string(std::string& out, std::string_view bytes);

// The same where a string is required: bytes that are not UTF-8 become U+FFFD.
NETKIT_API void append_json_lossy(std::string& out, std::string_view bytes);
// A number that JSON cannot express (infinity, NaN) becomes null.
NETKIT_API void append_json_number(std::string& out, double value);

// Whether the text has an invisible character, or a space other than U+0020: with these, names that
// differ look alike. Bytes that are not UTF-8 are visible, and skipped.
NETKIT_API bool has_unseen(std::string_view bytes);

// Without the ASCII white space (space, TAB, LF, VT, FF, CR) at both ends.
NETKIT_API std::string_view trim_white_space(std::string_view text);

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

// The value of a hexadecimal digit of either case, -1 for anything else.
constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char letter = static_cast<char>(digit | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Reads all of `text` as a number: digits of `base`, and for signed types a `-` before them.
// Returns nothing for anything else, and for what the type cannot hold.
template <std::integral Integer>
std::optional<Integer> read_integer(std::string_view text, int base = 10) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// `1 client`, `2 clients`: `thing` takes an s.
NETKIT_API std::string counted(std::uint64_t count, std::string_view thing);

// `bash, zsh or fish`
NETKIT_API std::string choice_of(std::span<const std::string_view> words);

// Most text is printable ASCII, 0x20 to 0x7E, which is skipped a block at a time.
constexpr bool is_printable(char byte) {
  return byte >= 0x20 && byte < 0x7F;
}

// skip_printable() without its check of the first byte, with the widest registers that this
// processor has.
NETKIT_API const char* skip_printable_blocks(const char* at, const char* end);

// The first byte in [at, end) that is not printable, else `end`. Any thread.
inline const char* skip_printable(const char* at, const char* end) {
  if (at == end || !is_printable(*at)) return at;
  return skip_printable_blocks(at, end);
}

// "Did you mean": the word that a mistyped one was meant to be.

// How many letters must be inserted, removed, changed or swapped with their neighbour to turn one
// word into the other (Damerau-Levenshtein, no part edited twice); letters compare without case.
NETKIT_API std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that is nearest to `word`, the first of equals; empty when none is near: up to one
// edit in words of up to three letters, two up to seven, three above.
NETKIT_API std::string_view suggest(std::string_view word,
                                    std::span<const std::string_view> candidates);

// "; did you mean 'listen'?", or empty, to append to a message.
NETKIT_API std::string did_you_mean(std::string_view word,
                                    std::span<const std::string_view> candidates);

}  // namespace netkit
