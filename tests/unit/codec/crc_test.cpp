#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <netkit/codec/crc.hpp>

namespace netkit {
namespace {

std::uint64_t mask(unsigned width) {
  return ~std::uint64_t{0} >> (64U - width);
}

std::uint64_t reflected(std::uint64_t value, unsigned width) {
  std::uint64_t out = 0;
  for (unsigned bit = 0; bit < width; ++bit) out = out << 1U | (value >> bit & 1U);
  return out;
}

// The model to the letter: a register of `width` bits, one bit of input after another.
std::uint64_t bit_by_bit(const CrcModel& model, std::string_view bytes) {
  std::uint64_t state = model.init;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned in = byte >> (model.reflect_in ? i : 7 - i) & 1U;
      const bool out = (state >> (model.width - 1U) & 1U) != in;
      state = (state << 1U & mask(model.width)) ^ (out ? model.poly : 0);
    }
  }
  return (model.reflect_out ? reflected(state, model.width) : state) ^ model.xor_out;
}

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(CrcTest, EveryNameHasItsPublishedCheckValue) {
  EXPECT_EQ(crc_catalogue().size(), 112U);
  for (const NamedCrc& crc : crc_catalogue()) {
    EXPECT_EQ(Crc(crc.model)("123456789"), crc.check) << crc.name;
  }
}

TEST(CrcTest, TheNamesPeopleKnowAreThere) {
  for (const char* name :
       {"crc8", "crc8-maxim", "crc16", "crc16-modbus", "crc16-ccitt-false", "crc16-ibm-3740",
        "crc16-x25", "crc16-xmodem", "crc16-kermit", "crc24", "crc32", "crc32c", "crc64"}) {
    EXPECT_TRUE(find_crc(name)) << name;
  }
  EXPECT_EQ(find_crc("crc32"), find_crc("crc32-iso-hdlc"));
  for (const char* name : {"", " ", "crc", "crc33", "crc8-aes crc8-ebu"}) {
    EXPECT_FALSE(find_crc(name)) << name;
  }
}

TEST(CrcTest, NoNameIsThereTwice) {
  std::set<std::string> names;
  for (const NamedCrc& crc : crc_catalogue()) {
    EXPECT_TRUE(names.insert(std::string(crc.name)).second) << crc.name;
    std::string_view others = crc.other;
    while (!others.empty()) {
      const std::size_t end = std::min(others.find(' '), others.size());
      const std::string other(others.substr(0, end));
      EXPECT_TRUE(names.insert(other).second) << other;
      EXPECT_EQ(find_crc(other), crc.model) << other;
      others.remove_prefix(std::min(end + 1, others.size()));
    }
  }
}

TEST(CrcTest, AnyLengthIsAsBitByBit) {
  std::mt19937 random(1);
  for (const NamedCrc& crc : crc_catalogue()) {
    const Crc fast(crc.model);
    const std::string bytes = random_bytes(random, 260);
    for (std::size_t size = 0; size <= bytes.size(); size += size < 130 ? 1 : 13) {
      const std::string_view part = std::string_view(bytes).substr(bytes.size() - size);
      ASSERT_EQ(fast(part), bit_by_bit(crc.model, part)) << crc.name << " " << size;
    }
  }
}

TEST(CrcTest, AModelOfOnesOwnOfAnyWidth) {
  std::mt19937 random(2);
  const std::string bytes = random_bytes(random, 100);
  for (unsigned width = 1; width <= 64; ++width) {
    for (const bool in : {false, true}) {
      for (const bool out : {false, true}) {
        const auto number = [&] { return (random() | std::uint64_t{random()} << 32U); };
        const CrcModel model{static_cast<std::uint8_t>(width),
                             number() & mask(width),
                             number() & mask(width),
                             in,
                             out,
                             number() & mask(width)};
        ASSERT_EQ(Crc(model)(bytes), bit_by_bit(model, bytes)) << width << in << out;
      }
    }
  }
}

TEST(CrcTest, AFlippedBitIsAlwaysSeen) {
  std::mt19937 random(3);
  for (const NamedCrc& crc : crc_catalogue()) {
    const Crc fast(crc.model);
    std::string bytes = random_bytes(random, 90);
    const std::uint64_t good = fast(bytes);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto flip = static_cast<char>(1U << bit % 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
      EXPECT_NE(fast(bytes), good) << crc.name << " " << bit;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
    }
  }
}

}  // namespace
}  // namespace netkit
