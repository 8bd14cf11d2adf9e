#include <string>

#include <gtest/gtest.h>

#include <netkit/util/big_endian.hpp>

namespace netkit::big_endian {
namespace {

using namespace std::string_literals;

TEST(BigEndian, WritesAndReadsNumbers) {
  std::string out = "x";
  append(out, std::uint16_t{0x0102});
  append(out, std::uint32_t{0xfffefdfc});
  EXPECT_EQ(out, "x\x01\x02\xff\xfe\xfd\xfc"s);
  EXPECT_EQ(get<std::uint16_t>(out.data() + 1), 0x0102);
  EXPECT_EQ(get<std::uint32_t>(out.data() + 3), 0xfffefdfcu);
}

TEST(BigEndian, ReadsBackWhatWasWrittenAndNothingOfLess) {
  std::string out;
  Writer(out)
      .number(std::uint8_t{7})
      .short_text("name")
      .number(std::uint64_t{1} << 40)
      .rest("text");
  for (std::size_t size = 0; size <= out.size(); ++size) {
    std::uint8_t byte = 0;
    std::string_view name;
    std::uint64_t number = 0;
    std::string_view rest;
    Reader in(std::string_view(out).substr(0, size));
    in.number(byte).short_text(name).number(number).rest(rest);
    EXPECT_EQ(in.good(), size >= out.size() - 4);
    if (!in.good()) continue;
    EXPECT_EQ(byte, 7);
    EXPECT_EQ(name, "name");
    EXPECT_EQ(number, std::uint64_t{1} << 40);
    EXPECT_EQ(rest, std::string_view("text").substr(0, size - (out.size() - 4)));
  }
}

TEST(BigEndian, CutsALongName) {
  std::string out;
  Writer(out).short_text(std::string(300, 'x'));
  EXPECT_EQ(out.size(), 256u);
}

}  // namespace
}  // namespace netkit::big_endian
