#include "support/refusal.hpp"

#include <frame/message.hpp>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit::frame {
namespace {

using testing::HasSubstr;

const std::string kAppid(36, 'a');
const std::string kImei(15, '1');

class MessageTest : public testing::Test {
 protected:
  std::string parse(std::string_view text) {
    return parse_message(text, codec_, [](const std::string& path) { return "<" + path + ">"; });
  }
  std::string refusal(std::string_view text) {
    return test::refusal([&] { parse(text); });
  }
  std::string show(std::string_view content) {
    std::string text;
    append_message(text, content, codec_);
    return text;
  }

  CodecSpec codec_;
};

TEST_F(MessageTest, KnownWordsHaveIds) {
  EXPECT_EQ(parse("heartbeat"), "\x01");
  EXPECT_EQ(parse("datetime"), "\x02");
  EXPECT_EQ(parse("datetime "), "\x02");
  EXPECT_EQ(parse("register:" + kAppid + "," + kImei), std::string(1, '\0') + kAppid + kImei);
}

TEST_F(MessageTest, AnIdTakesTextHexBase64OrAFile) {
  EXPECT_EQ(parse("7:hello: you"), "\x07hello: you");
  EXPECT_EQ(parse("7:"), "\x07");
  EXPECT_EQ(parse("-1:hex:00ff"), std::string("\xff\0\xff", 3));
  EXPECT_EQ(parse("-128:base64:AP8="), std::string("\x80\0\xff", 3));
  EXPECT_EQ(parse("127:@a/b"), "\x7f<a/b>");
}

TEST_F(MessageTest, APlainOneIsCutInTwoAsParsingWould) {
  for (const std::string text : {"7:hello", "7:", "-128::", "127:a:b", "0:x"}) {
    const auto plain = plain_message(text, codec_);
    ASSERT_TRUE(plain) << text;
    EXPECT_EQ(std::string(1, plain->id) + std::string(plain->body), parse(text)) << text;
  }
  for (const std::string text : {"7:hex:00", "7:base64:", "7:@f", "7", "", "128:x", "-129:x", "x:y",
                                 "datetime", "raw:x", "12345:x"}) {
    EXPECT_FALSE(plain_message(text, codec_)) << text;
  }
  EXPECT_FALSE(plain_message("7:hello", CodecSpec::parse("u16")));
}

TEST_F(MessageTest, RawIsTheWholeContent) {
  EXPECT_EQ(parse("raw:hex:0700"), std::string("\x07\0", 2));
  EXPECT_THAT(refusal("raw:hex:"), HasSubstr("at least a message id"));
}

TEST_F(MessageTest, WithoutIdsALineIsTheBody) {
  codec_ = CodecSpec::parse("u16");
  EXPECT_EQ(parse("7:x"), "7:x");
  EXPECT_EQ(parse("datetime"), "datetime");
  EXPECT_EQ(parse("hex:00ff"), std::string("\0\xff", 2));
  EXPECT_EQ(parse("base64:AP8="), std::string("\0\xff", 2));
  EXPECT_EQ(parse("@f"), "<f>");
  EXPECT_THAT(refusal("hex:0"), HasSubstr("two hexadecimal digits per byte"));
  EXPECT_EQ(parse("raw:hex:"), "");
  EXPECT_EQ(parse("raw:text"), "text");
  EXPECT_EQ(parse("raw:@f"), "<f>");
}

TEST_F(MessageTest, SaysWhatWouldBeRight) {
  EXPECT_THAT(refusal("200:x"), HasSubstr("-128 to 127; the byte 200 is the id -56"));
  EXPECT_THAT(refusal("-129:x"), HasSubstr("-128 to 127"));
  EXPECT_THAT(refusal("99999999999:x"), HasSubstr("-128 to 127"));
  EXPECT_THAT(refusal("7"), HasSubstr("write 7: and a body, which may be empty"));
  EXPECT_THAT(refusal("7:hex:0"), HasSubstr("two hexadecimal digits per byte"));
  EXPECT_THAT(refusal("7:base64:!"), HasSubstr("standard alphabet"));
  EXPECT_THAT(refusal("7:@"), HasSubstr("needs a file name"));
  EXPECT_THAT(refusal("register"), HasSubstr("register:APPID,IMEI"));
  EXPECT_THAT(refusal("datetime:now"), HasSubstr("has no body"));
  for (const char* text : {"", ":", "7x:y", "datetiem", "raw", "0x7:y", " 7:x"}) {
    EXPECT_THAT(refusal(text), HasSubstr("a message is register:APPID,IMEI")) << text;
  }
}

TEST_F(MessageTest, AppidAndImeiHaveTheirSizes) {
  EXPECT_THAT(refusal("register:a," + kImei), HasSubstr("appid 'a' has 1 byte; it must have 36"));
  EXPECT_THAT(refusal("register:" + kAppid + ",12"), HasSubstr("imei '12' has 2 bytes; it must"));
  EXPECT_THAT(refusal("register:" + kAppid), HasSubstr("APPID,IMEI"));
}

TEST_F(MessageTest, ErrorsShowNoControlCharacters) {
  EXPECT_THAT(refusal("\x1b[2J"), HasSubstr("'?[2J'"));
}

TEST_F(MessageTest, ContentsBecomeMessagesAgain) {
  for (const std::string text :
       {"heartbeat", "datetime", "7:", "7:hello", "-1:hex:00ff", "7:hex:6865783a",
        "7:gr\xc3\xbc\xc3\x9f", "7:hex:c3", "7:hex:c29b", "0:x", "1:x", "7:hex:0a", "7:hex:4078"}) {
    EXPECT_EQ(show(parse(text)), text);
  }
  EXPECT_EQ(show(parse("register:" + kAppid + "," + kImei)), "register:" + kAppid + "," + kImei);
}

TEST(IdName, IsTheWordOrTheNumber) {
  EXPECT_EQ(id_name(0), "register");
  EXPECT_EQ(id_name(1), "heartbeat");
  EXPECT_EQ(id_name(2), "datetime");
  EXPECT_EQ(id_name(-7), "-7");
}

TEST(ParseAnswer, WantsAnIdAndAnErrorCode) {
  EXPECT_FALSE(parse_answer(""));
  EXPECT_FALSE(parse_answer("\x07"));
  const auto answer = parse_answer("\x07\xffwhy");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 7);
  EXPECT_EQ(answer->error, -1);
  EXPECT_EQ(answer->body, "why");
}

}  // namespace
}  // namespace netkit::frame
