// Decoding of one UTF-8 sequence, which of them may be shown, and the tests of eight bytes at once
// that the scans over plain ASCII start with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// What skip_printable_blocks() chooses from, so that tests see each on one machine.
using SkipPrintable = const char* (*)(const char* at, const char* end);

// Those that this processor can, the narrowest first.
NETKIT_API std::span<const SkipPrintable> ways_to_skip_printable();

}  // namespace netkit

namespace netkit::utf8 {

// What begins at some place: a character, or the longest piece of one that some byte broke off.
struct Sequence {
  std::uint32_t code_point = 0;
  std::size_t length = 1;
  bool valid = false;
};

// Decodes what begins at `at`, which must lie in `bytes` (RFC 3629, the table of its section 4).
inline Sequence decode(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  const std::size_t left = bytes.size() - at;
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  if (lead < 0xC2 || lead > 0xF4) return {};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte has narrower bounds where there would be overlong forms, surrogates, or more
  // than U+10FFFF.
  unsigned lower = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned upper = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  std::uint32_t code_point = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (i == left || byte(i) < lower || byte(i) > upper) return {0, i, false};
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
    lower = 0x80;
    upper = 0xBF;
  }
  return {code_point, length, true};
}

// Whether a character outside ASCII moves no cursor and turns no text around: not U+0080 to U+009F,
// no bidirectional embedding, override or isolate. Marks (U+061C, U+200E, U+200F) do neither.
inline bool may_be_shown(std::uint32_t code_point) {
  if (code_point < 0xA0) return code_point < 0x80;
  if (code_point < 0x202A || code_point > 0x2069) return true;
  return code_point > 0x202E && code_point < 0x2066;
}

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

inline constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
inline constexpr std::uint64_t kHighBits = 0x80 * kOnes;

inline std::uint64_t load_word(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Zero when all eight bytes are 0x20 to 0x7E.
inline std::uint64_t not_printable(std::uint64_t word) {
  const std::uint64_t below_space = (word - 0x20 * kOnes) & ~word;
  const std::uint64_t del = (word ^ 0x7F * kOnes) - kOnes;
  return (word | below_space | del) & kHighBits;
}

}  // namespace netkit::utf8
