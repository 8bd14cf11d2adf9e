// Finds where a line ends, and learns on the way what it is made of: one pass over the bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <netkit/util/text.hpp>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace netkit::sse {

// What the bytes of a line are, the narrowest of these.
enum class LineContent : std::uint8_t {
  printable,  // 0x20 to 0x7E
  ascii,      // none above 0x7F
  any,
};

struct LineScan {
  const char* end;  // the first CR or LF, or the end of the bytes
  LineContent content;
};

namespace line_scan {

inline bool is_end(char byte) {
  return byte == '\n' || byte == '\r';
}

#ifdef __SSE2__
inline __m128i load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// 0xFF where the block has CR or LF.
inline __m128i ends(__m128i block) {
  return _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\n')),
                      _mm_cmpeq_epi8(block, _mm_set1_epi8('\r')));
}

inline unsigned mask_of(__m128i lanes) {
  return static_cast<unsigned>(_mm_movemask_epi8(lanes));
}
#endif

// The first CR or LF, or the end; `high` is set where a byte before it is above 0x7F.
inline const char* skip_line_bytes(const char* at, const char* end, bool& high) {
  for (; at != end && !is_end(*at); ++at) high = high || static_cast<unsigned char>(*at) >= 0x80;
  return at;
}

// The same, a block at a time where the processor can.
inline const char* skip_line(const char* at, const char* end, bool& high) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const __m128i block = load(at);
    const unsigned found = mask_of(ends(block));
    const unsigned above = mask_of(block);
    if (found != 0) {
      const int length = std::countr_zero(found);
      high = high || (above & ((1U << length) - 1)) != 0;
      return at + length;
    }
    high = high || above != 0;
  }
#endif
  return skip_line_bytes(at, end, high);
}

}  // namespace line_scan

// Any thread.
inline LineScan scan_line(const char* at, const char* end) {
  at = skip_printable(at, end);
  if (at == end || line_scan::is_end(*at)) return {at, LineContent::printable};
  bool high = false;
  at = line_scan::skip_line(at, end, high);
  return {at, high ? LineContent::any : LineContent::ascii};
}

}  // namespace netkit::sse
