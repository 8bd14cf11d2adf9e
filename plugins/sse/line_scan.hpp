// Finds where a line ends, and notices on the way whether it is plain ASCII: one pass over the
// bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace netkit::sse {

struct LineScan {
  const char* end;  // the first CR or LF, or the end of the bytes
  bool ascii;       // no byte before `end` is above 0x7F
};

#ifdef __SSE2__
namespace line_scan {

inline __m128i load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// 0xFF where the block has CR or LF.
inline __m128i ends(__m128i block) {
  return _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\n')),
                      _mm_cmpeq_epi8(block, _mm_set1_epi8('\r')));
}

// Goes over whole 64 byte blocks without an end. Returns whether they are ASCII.
inline bool skip_blocks(const char*& at, const char* end) {
  __m128i seen = _mm_setzero_si128();
  while (end - at >= 64) {
    const __m128i a = load(at);
    const __m128i b = load(at + 16);
    const __m128i c = load(at + 32);
    const __m128i d = load(at + 48);
    const __m128i hits =
        _mm_or_si128(_mm_or_si128(ends(a), ends(b)), _mm_or_si128(ends(c), ends(d)));
    if (_mm_movemask_epi8(hits) != 0) break;
    seen = _mm_or_si128(seen, _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
    at += 64;
  }
  return _mm_movemask_epi8(seen) == 0;
}

}  // namespace line_scan
#endif

// Any thread.
inline LineScan scan_line(const char* at, const char* end) {
  bool ascii = true;
#ifdef __SSE2__
  if (end - at >= 64) ascii = line_scan::skip_blocks(at, end);
  while (end - at >= 16) {
    const __m128i block = line_scan::load(at);
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(line_scan::ends(block)));
    const auto high = static_cast<unsigned>(_mm_movemask_epi8(block));
    if (hits != 0) {
      const int length = std::countr_zero(hits);
      return {at + length, ascii && (high & ((1u << length) - 1)) == 0};
    }
    ascii = ascii && high == 0;
    at += 16;
  }
#endif
  for (; at != end && *at != '\n' && *at != '\r'; ++at) {
    ascii = ascii && static_cast<unsigned char>(*at) < 0x80;
  }
  return {at, ascii};
}

}  // namespace netkit::sse
