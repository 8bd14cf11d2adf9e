#include <string>

#include <gtest/gtest.h>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::string refusal(std::string_view text) {
  try {
    CodecSpec::parse(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(CodecSpecTest, NetkitIsU32WithMessageIds) {
  const CodecSpec spec = CodecSpec::parse("netkit");
  EXPECT_EQ(spec, CodecSpec());
  EXPECT_EQ(spec.width, 4);
  EXPECT_TRUE(spec.message_ids);
}

TEST(CodecSpecTest, EveryFieldIsRead) {
  for (const char* text :
       {"netkit", "u8", "u16", "u16le", "u24", "u24le", "u32", "u32le", "u64", "u64le", "varint",
        "u16,offset=2,adjust=-4,strip=0", "u32le,strip=4", "varint,offset=1,adjust=3"}) {
    EXPECT_EQ(CodecSpec::parse(text).to_string(), text);
  }
}

TEST(CodecSpecTest, SettingsComeInAnyOrder) {
  EXPECT_EQ(CodecSpec::parse("u16,strip=1,offset=2"), CodecSpec::parse("u16,offset=2,strip=1"));
}

TEST(CodecSpecTest, SaysWhatWouldBeRight) {
  EXPECT_NE(refusal("u17").find("'u17' is no length field"), std::string::npos);
  EXPECT_NE(refusal("u16,ofset=2").find("'ofset=2' is not known"), std::string::npos);
  EXPECT_NE(refusal("u16,offset=-1").find("0 to 65536"), std::string::npos);
  EXPECT_NE(refusal("u16,adjust=x").find("adjust is a whole number"), std::string::npos);
  EXPECT_NE(refusal("u16,strip=1,strip=1").find("twice"), std::string::npos);
  EXPECT_NE(refusal("netkit,strip=1").find("no settings"), std::string::npos);
  for (const char* text : {"", "u16,", "u16,,strip=1", "le", "u16,offset", "u16,offset="}) {
    EXPECT_NE(refusal(text).find("a codec is netkit, or u8"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace netkit
