// Random numbers: unguessable ones from the kernel, fast ones from an engine that is seeded with
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <netkit/util/export.hpp>

namespace netkit {

// Fills the bytes by getrandom(2): for cookies, ids and seeds. Throws SystemError (a kernel without
// randomness). Any thread.
NETKIT_API void fill_random(void* bytes, std::size_t size);

// A number of 64 bits, and one from 1 to 2^63 - 1, which fits a signed integer, from getrandom(2).
// Throw like fill_random(). Any thread.
NETKIT_API std::uint64_t random_number();
NETKIT_API std::uint64_t random_id();

// xoshiro256** (Blackman and Vigna): a few cycles a number; good for jitter, sampling and tests,
// not for secrets. A UniformRandomBitGenerator. [one thread]
class NETKIT_API RandomEngine {
 public:
  using result_type = std::uint64_t;

  RandomEngine();                             // seeded from the kernel; throws like fill_random()
  explicit RandomEngine(std::uint64_t seed);  // the same numbers for the same seed

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()();

  // Uniform in [0, bound), without bias; 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound);
  double unit();  // uniform in [0, 1)

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace netkit
