#include "util/wide.hpp"

#include <bit>
#include <cerrno>
#include <sys/random.h>

#include <netkit/util/error.hpp>
#include <netkit/util/random.hpp>

namespace netkit {
namespace {

// splitmix64, which the authors of xoshiro name for filling its state from one number.
std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

void fill_random(void* bytes, std::size_t size) {
  auto* at = static_cast<unsigned char*>(bytes);
  while (size > 0) {
    const ssize_t got = ::getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot get random numbers");
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  fill_random(&number, sizeof number);
  return number;
}

std::uint64_t random_id() {
  return random_number() >> 1U | 1U;
}

RandomEngine::RandomEngine() : RandomEngine(random_number()) {}

RandomEngine::RandomEngine(std::uint64_t seed) : state_{} {
  for (std::uint64_t& word : state_) word = split_mix(seed);
}

RandomEngine::result_type RandomEngine::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// Lemire's method: the high half of the product; only the few low halves that would favour some
// results are drawn again.
std::uint64_t RandomEngine::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  const std::uint64_t unfair = (0 - bound) % bound;
  for (;;) {
    const Wide product = static_cast<Wide>((*this)()) * bound;
    if (static_cast<std::uint64_t>(product) >= unfair) {
      return static_cast<std::uint64_t>(product >> 64);
    }
  }
}

double RandomEngine::unit() {
  return static_cast<double>((*this)() >> 11) * 0x1.0p-53;
}

}  // namespace netkit
