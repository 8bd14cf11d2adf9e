#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using Frames = std::vector<std::string>;

class FrameCodecTest : public testing::Test {
 protected:
  void codec(std::string_view text, std::uint64_t max_frame = 1024) {
    spec_ = CodecSpec::parse(text);
    max_frame_ = max_frame;
    decoder_ = FrameDecoder(spec_, max_frame_);
    error_ = {};
  }
  // Hexadecimal in, contents as hexadecimal out; `|` cuts the input into pieces.
  Frames feed(std::string_view pieces) {
    Frames frames;
    while (true) {
      const std::size_t cut = pieces.find('|');
      const std::string bytes = decode_hex(pieces.substr(0, cut)).value();
      const auto keep = [&](const FrameView& f) { frames.push_back(encode_hex(f.content)); };
      error_ = decoder_.feed(bytes, keep).error;
      if (cut == std::string_view::npos) return frames;
      pieces.remove_prefix(cut + 1);
    }
  }
  std::string encode(std::string_view content) {
    std::string out;
    error_ = FrameEncoder(spec_).append(out, decode_hex(content).value());
    return encode_hex(out);
  }

  CodecSpec spec_;
  std::uint64_t max_frame_ = 1024;
  FrameDecoder decoder_{spec_, max_frame_};
  FrameError error_;
};

TEST_F(FrameCodecTest, NetkitIsALengthAndAContentThatBeginsWithAnId) {
  EXPECT_EQ(encode("02"), "0000000102");
  EXPECT_EQ(feed("00000001 02 00000003 07 6162"), (Frames{"02", "076162"}));
}

TEST_F(FrameCodecTest, EveryWidthAndOrder) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"u8", "02abcd"},
      {"u16", "0002abcd"},
      {"u16le", "0200abcd"},
      {"u24", "000002abcd"},
      {"u24le", "020000abcd"},
      {"u32", "00000002abcd"},
      {"u32le", "02000000abcd"},
      {"varint", "02abcd"},
      {"u64", "0000000000000002abcd"},
      {"u64le", "0200000000000000abcd"}};
  for (const auto& [name, wire] : cases) {
    codec(name);
    EXPECT_EQ(encode("abcd"), wire) << name;
    EXPECT_EQ(feed(wire + wire), (Frames{"abcd", "abcd"})) << name;
  }
}

TEST_F(FrameCodecTest, VarintsHaveSevenBitsAByte) {
  codec("varint");
  const std::string content(600, 'a');  // 300 bytes, 0xAA each
  EXPECT_EQ(encode(content), "ac02" + content);
  EXPECT_EQ(feed("ac|02" + content), Frames{content});
  EXPECT_EQ(feed("8000"), Frames{""});  // longer than it need be, as protocol buffers allow
}

// The examples in the documentation of LengthFieldBasedFrameDecoder; "HELLO, WORLD" is `body`.
TEST_F(FrameCodecTest, TheExamplesOfNetty) {
  const std::string body = "48454c4c4f2c20574f524c44";
  codec("u16,strip=0");
  EXPECT_EQ(feed("000c" + body), Frames{"000c" + body});
  codec("u16,strip=2");
  EXPECT_EQ(feed("000c" + body), Frames{body});
  codec("u16,adjust=-2,strip=0");
  EXPECT_EQ(feed("000e" + body), Frames{"000e" + body});
  codec("u24,offset=2");
  EXPECT_EQ(feed("cafe00000c" + body), Frames{"cafe00000c" + body});
  codec("u24,adjust=2,strip=0");
  EXPECT_EQ(feed("00000ccafe" + body), Frames{"00000ccafe" + body});
  codec("u16,offset=1,adjust=1,strip=3");
  EXPECT_EQ(feed("ca000cfe" + body), Frames{"fe" + body});
  codec("u16,offset=1,adjust=-3,strip=3");
  EXPECT_EQ(feed("ca0010fe" + body), Frames{"fe" + body});
}

TEST_F(FrameCodecTest, WhatIsDecodedEncodesAgain) {
  for (const char* name : {"u16,offset=2", "u16,offset=1,adjust=1", "u32le,adjust=-4",
                           "u24,adjust=2", "u16,strip=0", "u8,offset=3,adjust=-4"}) {
    codec(name);
    std::string wire = name == std::string("u24,adjust=2") ? "00000211223344" : "";
    if (wire.empty())
      wire = encode(name == std::string("u32le,adjust=-4") ? "112233" : "1122334455");
    const Frames frames = feed(wire);
    ASSERT_EQ(frames.size(), 1U) << name << " " << wire;
    EXPECT_EQ(encode(frames[0]), wire) << name;
  }
}

TEST_F(FrameCodecTest, ACodecThatStripsWhatNobodyKnowsDoesNotEncode) {
  EXPECT_THROW(FrameEncoder(CodecSpec::parse("u16,offset=1,strip=3")), UsageError);
  EXPECT_THROW(FrameEncoder(CodecSpec::parse("u16,strip=1")), UsageError);
  EXPECT_THROW(FrameEncoder(CodecSpec::parse("varint,offset=1,strip=2")), UsageError);
}

TEST_F(FrameCodecTest, TheEncoderRefusesWhatTheFieldCannotHold) {
  codec("u8");
  EXPECT_EQ(encode(std::string(512, '0')), "");
  EXPECT_EQ(error_, (FrameError{FrameFault::width, 256, 255}));
  codec("u16,adjust=3");
  encode("0102");
  EXPECT_EQ(error_.fault, FrameFault::too_short);
  codec("u16,offset=2");
  encode("010203");
  EXPECT_EQ(error_.fault, FrameFault::too_short);
  codec("netkit");
  encode("");
  EXPECT_EQ(error_.fault, FrameFault::empty);
}

TEST_F(FrameCodecTest, TheFieldAloneIsWhatStandsBeforeTheContent) {
  for (const char* name : {"netkit", "varint", "u24le", "u8,adjust=-1"}) {
    const FrameEncoder encoder(CodecSpec::parse(name));
    ASSERT_TRUE(encoder.prefixes());
    const std::string content = "some content";
    std::string out;
    ASSERT_FALSE(encoder.append(out, content));
    std::array<char, FrameEncoder::kMaxField> field;
    const std::size_t size = encoder.put_field(field.data(), content.size());
    EXPECT_EQ(std::string(field.data(), size) + content, out) << name;
  }
  EXPECT_FALSE(FrameEncoder(CodecSpec::parse("u16,offset=2")).prefixes());
}

TEST_F(FrameCodecTest, AFieldThatCanSayNoLengthTakesNothing) {
  codec("u8,adjust=-256");
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(error_, (FrameError{FrameFault::width, 256, 255}));
  codec("u8,adjust=-255");
  EXPECT_EQ(encode(""), "ff");
  EXPECT_EQ(encode("00"), "");
  codec("u64,adjust=5");
  EXPECT_EQ(encode("0102030405"), "00000000000000000102030405");
}

TEST_F(FrameCodecTest, HeadAndBodyAreOneContent) {
  for (const char* name : {"netkit", "u32,strip=0"}) {
    ByteBuffer out;
    ASSERT_FALSE(FrameEncoder(CodecSpec::parse(name)).append(out, "abcdef", "gh"));
    const std::string expected = name == std::string("netkit")
                                     ? std::string("\0\0\0\10abcdefgh", 12)
                                     : std::string("\0\0\0\4efgh", 8);
    EXPECT_EQ(out.view(), expected);
  }
}

TEST_F(FrameCodecTest, ALengthOverTheLimitIsRefusedAtOnceAndNamesTheOption) {
  codec("netkit", 16);
  EXPECT_EQ(feed("00000001 01 00000010 00112233445566778899aabbccddeeff"),
            (Frames{"01", "00112233445566778899aabbccddeeff"}));
  EXPECT_EQ(feed("0000|0011"), Frames{});
  EXPECT_EQ(error_.text(), "a frame of length 17 exceeds the limit of 16 bytes (--max-frame)");
  EXPECT_EQ(feed("00000001 01"), Frames{});
  EXPECT_EQ(error_.fault, FrameFault::too_long);
}

TEST_F(FrameCodecTest, TheEncoderKnowsWhatADecoderOfTheSameLimitRefuses) {
  for (const char* name : {"netkit", "varint", "u16,offset=2", "u16,strip=0", "u24,adjust=2"}) {
    for (std::size_t size = 12; size < 24; ++size) {
      codec(name, 16);
      const std::string wire = encode(std::string(2 * size, '1'));
      error_ = {};
      feed(wire);
      EXPECT_EQ(FrameEncoder(spec_).check({}, std::string(size, '\x11'), 16), error_)
          << name << " " << size;
    }
  }
}

TEST_F(FrameCodecTest, TheEncoderKnowsItAlsoWhereTheBodyHasTheField) {
  for (const char* name : {"varint,offset=1", "u16,offset=2", "postgres"}) {
    for (const std::string first : {"11", "00"}) {  // a message of PostgreSQL without a type
      for (std::size_t size = 12; size < 24; ++size) {
        codec(name, 16);
        const std::string body = decode_hex(first).value() + std::string(size, '\x11');
        feed(encode(encode_hex(body)));
        for (const std::size_t head : {std::size_t{0}, std::size_t{1}}) {
          const auto parts = std::string_view(body);
          EXPECT_EQ(FrameEncoder(spec_).check(parts.substr(0, head), parts.substr(head), 16),
                    error_)
              << name << " " << first << " " << size;
        }
      }
    }
  }
}

TEST_F(FrameCodecTest, LengthsNearTheEndOfTheirTypeAreTooLong) {
  for (const char* name :
       {"u64", "u64,adjust=2147483647", "u64,adjust=-2147483648", "u64,offset=65536"}) {
    codec(name, std::numeric_limits<std::uint64_t>::max());
    feed(std::string(spec_.offset * std::size_t{2}, '0') + "ffffffffffffffff");
    EXPECT_EQ(error_.fault, FrameFault::too_long) << name;
  }
}

TEST_F(FrameCodecTest, EachFaultHasItsReason) {
  feed("00000000");
  EXPECT_EQ(error_.text(), "a frame of length 0 has no message id");
  codec("u16,adjust=-2");
  feed("0001");
  EXPECT_EQ(error_, (FrameError{FrameFault::negative, 1, 2}));
  codec("u8,strip=4");
  feed("02");
  EXPECT_EQ(error_, (FrameError{FrameFault::strip, 3, 4}));
  codec("varint");
  feed("ffffffffffffffffff02");
  EXPECT_EQ(error_.fault, FrameFault::varint);
  codec("varint");
  feed("ffffffffffffffffff01");
  EXPECT_EQ(error_, (FrameError{FrameFault::too_long, ~std::uint64_t{0}, 1024}));
}

TEST_F(FrameCodecTest, EverySplitEqualsFeedingAtOnce) {
  const std::string body = "00020304050607";
  for (const char* name : {"netkit", "u8", "u16le", "u24", "u64", "varint", "u16,offset=2",
                           "u8,strip=0", "u32le,adjust=1", "varint,offset=2,strip=1"}) {
    codec(name);
    std::string wire = std::string(spec_.offset * std::size_t{2}, 'c');
    const std::size_t width = spec_.width == 0 ? 1 : spec_.width;
    std::string length(width * 2, '0');
    length.replace(spec_.little_endian ? 0 : length.size() - 2, 2, spec_.adjust == 1 ? "06" : "07");
    wire += length + body;
    const std::string unfinished = wire.substr(0, wire.size() - 2);
    wire.append(wire).append(unfinished);
    const Frames whole = feed(wire);
    ASSERT_EQ(whole.size(), 2U) << name;
    for (std::size_t i = 0; i <= wire.size(); i += 2) {
      for (std::size_t j = i; j <= wire.size(); j += 2) {
        codec(name);
        EXPECT_EQ(feed(wire.substr(0, i) + "|" + wire.substr(i, j - i) + "|" + wire.substr(j)),
                  whole)
            << name << " split at " << i << " and " << j;
        EXPECT_EQ(decoder_.pending(), wire.size() / 6);
      }
    }
  }
}

TEST_F(FrameCodecTest, WholeFramesAreViewsIntoTheInput) {
  const std::string input("\0\0\0\2ab\0\0\0\1c", 11);
  std::vector<const char*> at;
  decoder_.feed(input, [&](const FrameView& frame) {
    at.push_back(frame.content.data());
    EXPECT_EQ(frame.wire.size(), frame.content.size() + 4);
    EXPECT_EQ(frame.length, frame.content.size());
  });
  EXPECT_EQ(at, (std::vector<const char*>{input.data() + 4, input.data() + 10}));
}

TEST_F(FrameCodecTest, ASinkCanStopAndGoOnLater) {
  const std::string input("\0\0\0\2ab\0\0\0\1c", 11);
  const auto stop = [](const FrameView&) { return false; };
  decoder_.feed(input.substr(0, 5), stop);
  EXPECT_EQ(decoder_.feed(input.substr(5), stop).taken, 1U);
  EXPECT_EQ(decoder_.feed(input.substr(6), stop).taken, 5U);
}

TEST_F(FrameCodecTest, AThousandHalfFramesOfAMebibyteHoldWhatCame) {
  const std::string half = std::string("\0\x10\0\0", 4) + std::string(100, 'x');
  const std::vector<FrameDecoder> fresh(1000, FrameDecoder(CodecSpec(), 1U << 20U));
  std::vector<FrameDecoder> decoders = fresh;
  std::size_t memory = 0;
  for (FrameDecoder& decoder : decoders) {
    decoder.feed(half, [](const FrameView&) { FAIL(); });
    EXPECT_EQ(decoder.pending_total(), (1U << 20U) + 4);
    memory += decoder.memory();
  }
  EXPECT_LE(memory, std::size_t{2000} * half.size());
}

TEST_F(FrameCodecTest, ALargeBufferIsGivenBackAfterItsFrame) {
  codec("u32", 1U << 20U);
  std::size_t count = 0;
  const auto counting = [&](const FrameView&) { ++count; };
  decoder_.feed(std::string("\0\0\xff\xff", 4), counting);
  for (int i = 0; i < 0xffff; i += 0xff) decoder_.feed(std::string(0xff, 'x'), counting);
  EXPECT_EQ(count, 1U);
  EXPECT_LE(decoder_.memory(), 512U);
}

}  // namespace
}  // namespace netkit
