#include "util/utf8.hpp"

#include <algorithm>
#include <array>

#include <netkit/util/text.hpp>

#ifdef __x86_64__
#include <bit>
#include <immintrin.h>
#endif

namespace netkit {
namespace {

const char* skip_bytes(const char* at, const char* end) {
  return std::find_if_not(at, end, is_printable);
}

#ifdef __x86_64__
// In both: each byte as its distance from the space, so that the printable ones are the lowest 0x5F
// and one comparison does for the farthest of four blocks.
constexpr char kSpace = 0x20;
constexpr char kMost = 0x7E - 0x20;

struct Sse2 {
  static __m128i distances(const char* from) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm_sub_epi8(block, _mm_set1_epi8(kSpace));
  }
  static unsigned printable(__m128i distances) {
    const __m128i most = _mm_set1_epi8(kMost);
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(distances, most), most)));
  }
};

const char* skip_by_16(const char* at, const char* end) {
  for (; end - at >= 64; at += 64) {
    const __m128i farthest =
        _mm_max_epu8(_mm_max_epu8(Sse2::distances(at), Sse2::distances(at + 16)),
                     _mm_max_epu8(Sse2::distances(at + 32), Sse2::distances(at + 48)));
    if (Sse2::printable(farthest) != 0xFFFFU) break;
  }
  for (; end - at >= 16; at += 16) {
    const unsigned others = Sse2::printable(Sse2::distances(at)) ^ 0xFFFFU;
    if (others != 0) return at + std::countr_zero(others);
  }
  return skip_bytes(at, end);
}

#define NETKIT_AVX2 __attribute__((target("avx2")))

struct Avx2 {
  NETKIT_AVX2 static __m256i distances(const char* from) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm256_sub_epi8(block, _mm256_set1_epi8(kSpace));
  }
  NETKIT_AVX2 static unsigned others(__m256i distances) {
    const __m256i most = _mm256_set1_epi8(kMost);
    return ~static_cast<unsigned>(
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(distances, most), most)));
  }
};

NETKIT_AVX2 const char* skip_by_32(const char* at, const char* end) {
  for (; end - at >= 128; at += 128) {
    const __m256i farthest =
        _mm256_max_epu8(_mm256_max_epu8(Avx2::distances(at), Avx2::distances(at + 32)),
                        _mm256_max_epu8(Avx2::distances(at + 64), Avx2::distances(at + 96)));
    if (Avx2::others(farthest) != 0) break;
  }
  for (; end - at >= 32; at += 32) {
    const unsigned others = Avx2::others(Avx2::distances(at));
    if (others != 0) return at + std::countr_zero(others);
  }
  return skip_by_16(at, end);
}

#undef NETKIT_AVX2

constexpr std::array kWays{&skip_bytes, &skip_by_16, &skip_by_32};

std::size_t count_ways() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") ? 3 : 2;
}
#else
constexpr std::array kWays{&skip_bytes};

std::size_t count_ways() {
  return 1;
}
#endif

const auto kWidest = kWays[count_ways() - 1];

}  // namespace

const char* skip_printable_blocks(const char* at, const char* end) {
  return kWidest(at, end);
}

std::span<const SkipPrintable> ways_to_skip_printable() {
  return std::span(kWays).first(count_ways());
}

}  // namespace netkit
