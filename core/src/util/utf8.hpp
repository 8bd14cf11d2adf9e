// Decoding of one UTF-8 sequence, which of them may be shown, and the scan over plain ASCII that
// the check and the escaping start with.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace netkit::utf8 {

struct Sequence {
  std::uint32_t code_point = 0;
  std::size_t length = 0;  // 0: the bytes are not UTF-8
};

inline bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

// Decodes the sequence that starts at `at` (RFC 3629, the table of its section 4). `at` must lie in
// `bytes`.
inline Sequence decode(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  const std::size_t left = bytes.size() - at;
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xC2 || lead > 0xF4) return {};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (left < length) return {};
  std::uint32_t code_point = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte(i))) return {};
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {};
  return {code_point, length};
}

// Whether a character outside ASCII moves no cursor and turns no text around: not U+0080 to U+009F,
// no bidirectional control, no line or paragraph separator.
inline bool may_be_shown(std::uint32_t code_point) {
  if (code_point < 0xA0) return code_point < 0x80;
  if (code_point == 0x061C) return false;
  if (code_point < 0x200E || code_point > 0x2069) return true;
  return code_point > 0x200F && (code_point < 0x2028 || code_point > 0x202E) && code_point < 0x2066;
}

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

#ifdef __SSE2__
// 0xFF for each of the 16 bytes that is 0x20 to 0x7E.
inline __m128i printable_lanes(const char* from) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  // As signed numbers, bytes above 0x7F are below the space too.
  return _mm_andnot_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F)),
                          _mm_cmpgt_epi8(block, _mm_set1_epi8(0x1F)));
}

// Goes over whole blocks of 64 printable bytes.
inline std::size_t printable_runs(std::string_view bytes, std::size_t at) {
  const std::size_t begin = at;
  for (; bytes.size() - at >= 64; at += 64) {
    const char* const from = bytes.data() + at;
    const __m128i all =
        _mm_and_si128(_mm_and_si128(printable_lanes(from), printable_lanes(from + 16)),
                      _mm_and_si128(printable_lanes(from + 32), printable_lanes(from + 48)));
    if (_mm_movemask_epi8(all) != 0xFFFF) break;
  }
  return at - begin;
}
#endif

// How many bytes from `at` on are printable ASCII (0x20 to 0x7E), in whole blocks of 16 bytes; the
// rest, and the block that has another byte, are left to the caller.
inline std::size_t printable_blocks(std::string_view bytes, std::size_t at) {
  const std::size_t begin = at;
#ifdef __SSE2__
  at += printable_runs(bytes, at);
#endif
  for (; bytes.size() - at >= 16; at += 16) {
    const std::uint64_t first = load_word(bytes.data() + at);
    const std::uint64_t second = load_word(bytes.data() + at + 8);
    if ((not_printable(first) | not_printable(second)) != 0) break;
  }
  return at - begin;
}

}  // namespace netkit::utf8
