// Cyclic redundancy checks of up to 64 bits, in the terms of the Rocksoft model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// The parameters of a CRC: its width in bits (1 to 64), the polynomial without its highest term,
// the initial register, whether bytes go in and the result comes out with the lowest bit first,
// and the value the result is XORed with.
struct CrcModel {
  std::uint8_t width;
  std::uint64_t poly;
  std::uint64_t init;
  bool reflect_in;
  bool reflect_out;
  std::uint64_t xor_out;

  bool operator==(const CrcModel&) const = default;
};

// A CRC of the catalogue.
struct NamedCrc {
  std::string_view name;   // lower case: `crc16-modbus`
  std::uint64_t check;     // the CRC of the nine bytes "123456789"
  std::string_view other;  // aliases, separated by spaces
  CrcModel model;
};

// The usual catalogue, by width and then by name. Any thread, like everything here.
NETKIT_API std::span<const NamedCrc> crc_catalogue();

// Finds one by its name or an alias.
NETKIT_API std::optional<CrcModel> find_crc(std::string_view name);

// Computes the CRCs of one model, eight bytes at a time, and in long inputs five words side by
// side. It takes 32 KiB and some time to set up: one is made per codec, and shared.
class NETKIT_API Crc {
 public:
  explicit Crc(const CrcModel& model);

  std::uint64_t operator()(std::string_view bytes) const;

 private:
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  static constexpr std::size_t kBraids = 5;
  // For each byte of a word, what the register becomes when the word has gone through it.
  using WordTables = std::array<std::array<std::uint64_t, 256>, kWord>;

  static std::uint64_t advance(const WordTables& tables, std::uint64_t word);
  std::uint64_t take_braids(std::uint64_t state, const char*& from, std::size_t& size) const;

  CrcModel model_;
  WordTables step_;   // by one word
  WordTables braid_;  // by kBraids words
};

}  // namespace netkit
