#include "support/refusal.hpp"

#include <string>

#include <gtest/gtest.h>

#include <netkit/codec/frame_codec.hpp>

namespace netkit {
namespace {

std::string refusal_of_spec(std::string_view text) {
  return test::refusal([&] { CodecSpec::parse(text); });
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

TEST(CodecSpecTest, EveryCutIsRead) {
  for (const char* text :
       {"digits=4", "digits=4,offset=2,adjust=-1", "line", "crlf", "delim=00ff", "slip", "cobs",
        "start=02,end=03", "start=aa55,end=0d0a,escape=7d", "hdlc", "fixed=16", "idle=5ms"}) {
    EXPECT_EQ(CodecSpec::parse(text, Timing::timed).to_string(), text);
    const std::string checked = std::string(text) + ",check=crc16-modbus:le@1..-2";
    EXPECT_EQ(CodecSpec::parse(checked, Timing::timed).to_string(), checked);
  }
  EXPECT_EQ(CodecSpec::parse("delim=0d:0A").to_string(), "crlf");
  EXPECT_EQ(CodecSpec::parse("line,check=sum8").check->text(), "sum8");
}

TEST(CodecSpecTest, SilenceNeedsTheTime) {
  EXPECT_NE(refusal_of_spec("idle=5ms").find("need input that arrives in real time"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("modbus-rtu").find("need input that arrives in real time"),
            std::string::npos);
}

TEST(CodecSpecTest, MarksThatCannotHoldAnyFrameAreRefused) {
  EXPECT_NE(refusal_of_spec("start=02").find("start needs an end"), std::string::npos);
  EXPECT_NE(refusal_of_spec("start=0203,end=0203").find("only if they are one byte"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("start=02,end=0203").find("begins with the other"), std::string::npos);
  EXPECT_NE(refusal_of_spec("start=02,end=03,escape=03").find("first byte of start or end"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("start=5d,end=03,escape=7d").find("is another one of them"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("start=02,end=03,escape=1010").find("one byte"), std::string::npos);
  EXPECT_NE(refusal_of_spec("delim=").find("1 to 16 bytes in hexadecimal"), std::string::npos);
  EXPECT_NE(refusal_of_spec("delim=0").find("1 to 16 bytes in hexadecimal"), std::string::npos);
  EXPECT_NE(refusal_of_spec("fixed=0").find("fixed is a whole number, 1 to"), std::string::npos);
  EXPECT_NE(refusal_of_spec("fixed=3,check=crc32").find("no room for its check"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("digits=19").find("digits is a whole number, 1 to 18"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("idle=none").find("idle is a duration"), std::string::npos);
  EXPECT_NE(refusal_of_spec("line,offset=2").find("unknown setting 'offset=2' (write check=NAME)"),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("u16,check=crc99").find("'crc99' is not a check"), std::string::npos);
  EXPECT_NE(refusal_of_spec("mqtt,strip=1").find("no settings"), std::string::npos);
}

TEST(CodecSpecTest, SettingsComeInAnyOrder) {
  EXPECT_EQ(CodecSpec::parse("u8,check=sum8,offset=1"), CodecSpec::parse("u8,offset=1,check=sum8"));
  EXPECT_EQ(CodecSpec::parse("u16,strip=1,offset=2"), CodecSpec::parse("u16,offset=2,strip=1"));
}

TEST(CodecSpecTest, SaysWhatWouldBeRight) {
  EXPECT_NE(refusal_of_spec("u17").find("'u17' is not a codec"), std::string::npos);
  EXPECT_NE(refusal_of_spec("u16,ofset=2").find("unknown setting 'ofset=2' (write offset=N, "),
            std::string::npos);
  EXPECT_NE(refusal_of_spec("u16,offset=-1").find("0 to 65536"), std::string::npos);
  EXPECT_NE(refusal_of_spec("u16,adjust=x").find("adjust is a whole number"), std::string::npos);
  EXPECT_NE(refusal_of_spec("u16,strip=1,strip=1").find("twice"), std::string::npos);
  EXPECT_NE(refusal_of_spec("netkit,strip=1").find("no settings"), std::string::npos);
  for (const std::string text : {"", "le", "u17", "modbus"}) {
    EXPECT_TRUE(
        refusal_of_spec(text).starts_with("'" + text + "' is not a codec (write netkit, dns, "))
        << text;
  }
  for (const char* text : {"u16,", "u16,,strip=1"}) {
    EXPECT_NE(refusal_of_spec(text).find("unknown setting '' (write offset=N, "), std::string::npos)
        << text;
  }
  for (const char* text : {"u16,offset", "u16,offset="}) {
    EXPECT_NE(refusal_of_spec(text).find("offset is a whole number"), std::string::npos) << text;
  }
  EXPECT_TRUE(refusal_of_spec("slipp").ends_with("did you mean 'slip'?"));
  EXPECT_NE(refusal_of_spec("mqtt,strip=1").find("(it is varint,offset=1)"), std::string::npos);
  EXPECT_NE(refusal_of_spec("u12,strip=1").find("codec 'u12,strip=1': 'u12' is not a codec"),
            std::string::npos);
}

}  // namespace
}  // namespace netkit
