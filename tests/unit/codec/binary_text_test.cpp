#include <string>

#include <gtest/gtest.h>

#include <netkit/codec/binary_text.hpp>

namespace netkit {
namespace {

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(encode_hex(std::string("\0\xff", 2)), "00ff");
  EXPECT_EQ(decode_hex("00fF"), std::string("\0\xff", 2));
  EXPECT_EQ(decode_hex("01 02:03"), "\x01\x02\x03");
  EXPECT_EQ(decode_hex(""), "");
}

TEST(Hex, RefusesWhatIsNone) {
  for (const char* text : {"0", "0g", "00f", "0 1", "zz"}) EXPECT_FALSE(decode_hex(text)) << text;
}

TEST(Base64, FollowsTheVectorsOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, EveryLengthComesBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(decode_base64(base64(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64, PaddingMayBeLeftOut) {
  EXPECT_EQ(decode_base64("Zg"), "f");
  EXPECT_EQ(decode_base64("Zm8"), "fo");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zg=", "Zh==", "Z===", "====", "Zm9v=", "Zm 9", "Zm9-"}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace netkit
