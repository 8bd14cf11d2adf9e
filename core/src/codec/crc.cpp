// The register is kept as a 64-bit word whose lowest byte is the one that the next byte of input
// meets, whichever way bits are counted: right-aligned and reflected where the lowest bit goes
// first, and otherwise left-aligned with its bytes swapped. So one loop does for all models.
#include <cstring>

#include <netkit/codec/crc.hpp>

namespace netkit {

namespace {

std::uint64_t reflected(std::uint64_t value, unsigned width) {
  std::uint64_t out = 0;
  for (unsigned bit = 0; bit < width; ++bit) out |= (value >> bit & 1U) << (width - 1 - bit);
  return out;
}

std::uint64_t to_state(std::uint64_t value, const CrcModel& model) {
  if (model.reflect_in) return reflected(value, model.width);
  return __builtin_bswap64(value << (64U - model.width));
}

// What one byte makes of a register that is 0.
std::uint64_t table_entry(unsigned byte, const CrcModel& model) {
  if (model.reflect_in) {
    const std::uint64_t poly = reflected(model.poly, model.width);
    std::uint64_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = state >> 1U ^ ((state & 1U) != 0 ? poly : 0);
    return state;
  }
  const std::uint64_t poly = model.poly << (64U - model.width);
  std::uint64_t state = std::uint64_t{byte} << 56U;
  for (int bit = 0; bit < 8; ++bit) state = state << 1U ^ (state >> 63U != 0 ? poly : 0);
  return __builtin_bswap64(state);
}

std::uint64_t load(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

Crc::Crc(const CrcModel& model) : model_(model) {
  constexpr std::size_t kBraidBytes = kBraids * kWord;
  std::array<std::uint64_t, 256> first;
  for (unsigned byte = 0; byte < 256; ++byte) first[byte] = table_entry(byte, model);
  std::array<std::uint64_t, 256> table = first;
  for (std::size_t bytes = 1; bytes <= kBraidBytes; ++bytes) {
    if (bytes <= kWord) step_[kWord - bytes] = table;
    if (bytes > kBraidBytes - kWord) braid_[kBraidBytes - bytes] = table;
    for (std::uint64_t& entry : table) entry = first[entry & 0xFFU] ^ entry >> 8U;
  }
}

[[gnu::always_inline]] inline std::uint64_t Crc::advance(const WordTables& tables,
                                                         std::uint64_t word) {
  return tables[0][word & 0xFFU] ^ tables[1][word >> 8U & 0xFFU] ^ tables[2][word >> 16U & 0xFFU] ^
         tables[3][word >> 24U & 0xFFU] ^ tables[4][word >> 32U & 0xFFU] ^
         tables[5][word >> 40U & 0xFFU] ^ tables[6][word >> 48U & 0xFFU] ^ tables[7][word >> 56U];
}

// Lookups wait for each other within a word, not between words: each of five registers skips over
// the words of the others, and the last block joins them.
std::uint64_t Crc::take_braids(std::uint64_t state, const char*& from, std::size_t& size) const {
  constexpr std::size_t kBlock = kBraids * kWord;
  std::array<std::uint64_t, kBraids> states{state};
  for (; size >= 2 * kBlock; size -= kBlock, from += kBlock) {
    for (std::size_t i = 0; i < kBraids; ++i) {
      states[i] = advance(braid_, states[i] ^ load(from + i * kWord));
    }
  }
  state = 0;
  for (const std::uint64_t braid : states) {
    state = advance(step_, state ^ braid ^ load(from));
    from += kWord;
  }
  size -= kBlock;
  return state;
}

std::uint64_t Crc::operator()(std::string_view bytes) const {
  const char* from = bytes.data();
  std::size_t size = bytes.size();
  std::uint64_t state = to_state(model_.init, model_);
  if (size >= 2 * kBraids * kWord) state = take_braids(state, from, size);
  for (; size >= kWord; size -= kWord, from += kWord) state = advance(step_, state ^ load(from));
  for (; size > 0; --size, ++from) {
    const auto byte = static_cast<std::uint8_t>(*from);
    state = step_[kWord - 1][(state ^ byte) & 0xFFU] ^ state >> 8U;
  }
  const std::uint64_t value =
      model_.reflect_in ? state : __builtin_bswap64(state) >> (64U - model_.width);
  const bool turn = model_.reflect_in != model_.reflect_out;
  return (turn ? reflected(value, model_.width) : value) ^ model_.xor_out;
}

}  // namespace netkit
