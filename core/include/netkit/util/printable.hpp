// The scan that most text passes whole: printable ASCII, a block at a time.
#pragma once

#include <algorithm>
#include <cstddef>

#ifdef __SSE2__
#include <bit>
#include <emmintrin.h>
#endif

namespace netkit {

// 0x20 to 0x7E.
constexpr bool is_printable(char byte) {
  return byte >= 0x20 && byte < 0x7F;
}

#ifdef __SSE2__
namespace printable {

// The bytes as their distance from the space, so that the printable ones are the lowest 0x5F.
inline __m128i distances(const char* from) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm_sub_epi8(block, _mm_set1_epi8(0x20));
}

// A bit for each lane that is printable.
inline unsigned lanes(__m128i distances) {
  const __m128i most = _mm_set1_epi8(0x5E);
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(distances, most), most)));
}

}  // namespace printable
#endif

// The first byte in [at, end) that is not printable, else `end`. Any thread.
inline const char* skip_printable(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 64; at += 64) {
    const __m128i farthest =
        _mm_max_epu8(_mm_max_epu8(printable::distances(at), printable::distances(at + 16)),
                     _mm_max_epu8(printable::distances(at + 32), printable::distances(at + 48)));
    if (printable::lanes(farthest) != 0xFFFF) break;
  }
  for (; end - at >= 16; at += 16) {
    const unsigned others = printable::lanes(printable::distances(at)) ^ 0xFFFFU;
    if (others != 0) return at + std::countr_zero(others);
  }
#endif
  return std::find_if_not(at, end, is_printable);
}

}  // namespace netkit
