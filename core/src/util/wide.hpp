// Products of two 64-bit numbers, which have 128 bits.
#pragma once

#include <cstdint>

namespace netkit {

__extension__ using Wide = unsigned __int128;

// The two halves of a product, folded: every bit of both factors reaches every bit of it (wyhash).
inline std::uint64_t fold_product(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace netkit
