#include "support/refusal.hpp"

#include <string>

#include <gtest/gtest.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/codec/check.hpp>

namespace netkit {
namespace {

// The check of `before` in hexadecimal.
std::string made(std::string_view check, std::string_view before, std::size_t body = 0) {
  const auto parsed = Check::parse(check);
  std::string bytes(parsed->size(), '\0');
  parsed->put(bytes.data(), before, body);
  return encode_hex(bytes);
}

std::string refusal(std::string_view text) {
  return test::refusal([&] { Check::parse(text); });
}

TEST(CheckTest, Sums) {
  EXPECT_EQ(made("sum8", "123456789"), "dd");
  EXPECT_EQ(made("xor8", "123456789"), "31");
  EXPECT_EQ(made("lrc", "123456789"), "23");
  EXPECT_EQ(made("lrc", ""), "00");
}

TEST(CheckTest, CrcsAreBigEndianUnlessTold) {
  EXPECT_EQ(made("crc16-modbus", "123456789"), "4b37");
  EXPECT_EQ(made("crc16-modbus:le", "123456789"), "374b");
  EXPECT_EQ(made("crc32", "123456789"), "cbf43926");
  EXPECT_EQ(made("crc32:le", "123456789"), "2639f4cb");
}

TEST(CheckTest, AWidthThatIsNoWholeNumberOfBytesHasItsBitsAtTheEnd) {
  EXPECT_EQ(made("crc5-usb", "123456789"), "19");
  EXPECT_EQ(made("crc12-umts", "123456789"), "0daf");
  EXPECT_EQ(made("crc31-philips", "123456789"), "0ce9e46c");
}

TEST(CheckTest, AModelInParameters) {
  EXPECT_EQ(made("crc:16:8005:ffff:true:true:0", "123456789"), "4b37");
  EXPECT_EQ(made("crc:16:0x8005:0xFFFF:1:1:0:le", "123456789"), "374b");
  EXPECT_EQ(made("crc:12:80f:0:false:true:0", "123456789"), "0daf");
}

TEST(CheckTest, CoversTheBodyUnlessTold) {
  EXPECT_EQ(made("sum8", "\x01\x02\x03", 2), "03");
  EXPECT_EQ(made("sum8@0..", "\x01\x02\x03", 2), "06");
  EXPECT_EQ(made("sum8@..", "\x01\x02\x03", 2), "06");
  EXPECT_EQ(made("sum8@1..3", "\x01\x02\x03\x04"), "05");
}

TEST(CheckTest, NegativePositionsCountFromTheEndOfTheFrame) {
  EXPECT_EQ(made("sum8@0..-1", "\x01\x02\x03"), "06");  // up to the check
  EXPECT_EQ(made("sum8@0..-2", "\x01\x02\x03"), "03");
  EXPECT_EQ(made("sum8@-3..", "\x01\x02\x03"), "05");
  EXPECT_EQ(made("crc16-xmodem@0..-2", "123456789"), "31c3");
}

TEST(CheckTest, ARangeBeyondTheFrameEndsWithIt) {
  EXPECT_EQ(made("sum8@2..9", "\x01\x02\x03"), "03");
  EXPECT_EQ(made("sum8@-9..-9", "\x01"), "00");
  EXPECT_EQ(made("sum8@5..", "\x01"), "00");
  EXPECT_EQ(made("sum8@3..1", "\x01\x02\x03"), "00");
}

TEST(CheckTest, HoldsForWhatWasMadeAndForNothingElse) {
  const auto check = Check::parse("crc16-modbus:le");
  std::string frame = decode_hex("01030000000ac5cd").value();  // as the specification has it
  EXPECT_TRUE(check->holds(frame, 0));
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string other = frame;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ static_cast<char>(1U << bit % 8));
    EXPECT_FALSE(check->holds(other, 0)) << bit;
  }
  EXPECT_FALSE(check->holds("", 0));
  EXPECT_FALSE(check->holds("x", 0));
}

TEST(CheckTest, SaysWhatWouldBeRight) {
  EXPECT_NE(refusal("crc16-modbsu").find("did you mean 'crc16-modbus'"), std::string::npos);
  EXPECT_NE(refusal("crc:16:8005").find("six parameters"), std::string::npos);
  EXPECT_NE(refusal("crc:65:1:0:0:0:0").find("1 to 64 bits"), std::string::npos);
  EXPECT_NE(refusal("crc:8:107:0:0:0:0").find("more than 8 bits"), std::string::npos);
  EXPECT_NE(refusal("crc:8:7:0:maybe:0:0").find("not true or false"), std::string::npos);
  EXPECT_NE(refusal("crc:8:x:0:0:0:0").find("not a 64-bit hexadecimal number"), std::string::npos);
  EXPECT_NE(refusal("sum8@3").find("FROM..TO"), std::string::npos);
  EXPECT_NE(refusal("sum8@a..").find("not a position"), std::string::npos);
  EXPECT_NE(refusal("sum8@").find("FROM..TO"), std::string::npos);
  EXPECT_NE(refusal("crc:16:8005:0:0:0:0:le:le").find("six parameters"), std::string::npos);
  for (const char* text : {"", ":le", "sum8:be"}) {
    EXPECT_NE(refusal(text).find("is not a check (write sum8, "), std::string::npos) << text;
  }
  EXPECT_EQ(refusal("sum9:le").find("check 'sum9:le': 'sum9' is not a check"), 0u);
}

TEST(CheckTest, EveryNameCanBeParsed) {
  EXPECT_EQ(check_names().size(), 115U);
  for (const std::string_view name : check_names()) {
    const auto check = Check::parse(name);
    EXPECT_EQ(check->text(), name);
    EXPECT_GE(check->size(), 1U);
    EXPECT_LE(check->size(), 8U);
  }
}

}  // namespace
}  // namespace netkit
