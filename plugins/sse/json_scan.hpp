// The tokens of JSON texts (RFC 8259): where a string, a number or a name ends, and the value of a
// string. Any thread.
#pragma once

#include <bit>
#include <sse/line_scan.hpp>
#include <string>
#include <string_view>

namespace netkit::sse::json {

// Each takes the word at the front of what is between `at` and `end`, which is not empty, and
// returns where it ends; null: it is none.
const char* skip_number(const char* at, const char* end);
const char* skip_name(const char* at, const char* end);  // true, false, null

// A string without its quotes. Its bytes are not looked at beyond what JSON asks for: they need not
// be UTF-8, as the halves of a surrogate need to be together.
struct String {
  std::string_view text{};  // as it stands there
  bool has_escapes = false;

  // What it says; in `room` where it has escapes.
  std::string_view value(std::string& room) const;
};

#ifdef __SSE2__
// 0xFF where the block has a quote, a backslash or a control character.
inline __m128i special_bytes(__m128i block) {
  const __m128i most = _mm_set1_epi8(0x1F);
  return _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(block, most), most),
                      _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                   _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));
}
#endif

inline const char* skip_blanks(const char* at, const char* end) {
  while (at != end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) ++at;
  return at;
}

// take_string() from `at` on, where it has come without an escape.
const char* take_string_rest(const char* begin, const char* at, const char* end, String& string);

// `at` is its first quote. Most strings are short, and have no escapes.
inline const char* take_string(const char* at, const char* end, String& string) {
  const char* const begin = ++at;
#ifdef __SSE2__
  if (end - at >= 16) {
    const unsigned special = line_scan::mask_of(special_bytes(line_scan::load(at)));
    if (special == 0) return take_string_rest(begin, at + 16, end, string);
    at += std::countr_zero(special);
    if (*at == '"') {
      string.text = {begin, static_cast<std::size_t>(at - begin)};
      string.has_escapes = false;
      return at + 1;
    }
  }
#endif
  return take_string_rest(begin, at, end, string);
}

}  // namespace netkit::sse::json
