// What each way of cutting makes of bytes that somebody wrote down.
#include "unit/codec/frame_tools.hpp"

#include <algorithm>
#include <chrono>

namespace netkit {
namespace {

using FrameCutsTest = FrameToolsTest;

TEST_F(FrameCutsTest, LengthsInDigits) {
  codec("digits=4");
  EXPECT_EQ(encode_bytes("hello"), "0005hello");
  EXPECT_EQ(feed_bytes("0005hello0000"), (Frames{"hello", ""}));
  feed_bytes("00x1a");
  EXPECT_EQ(error_, (FrameError{FrameFault::digits, 0, 4}));
  codec("digits=2,offset=1,adjust=-3");  // the length of all, its own two and the one before
  EXPECT_EQ(encode_bytes("#00ab"), "#05ab");
  EXPECT_EQ(feed_bytes("#05ab"), Frames{"#05ab"});
  codec("digits=1");
  encode_bytes("1234567890");
  EXPECT_EQ(error_, (FrameError{FrameFault::width, 10, 9}));
}

TEST_F(FrameCutsTest, AVarintInTheMiddleIsFilledIn) {
  codec("varint,offset=1");
  EXPECT_EQ(encode("c000"), "c000");
  EXPECT_EQ(encode("1000aabb"), "1002aabb");
  EXPECT_EQ(encode("10"
                   "00" +
                   std::string(400, 'a')),
            "10"
            "c801" +
                std::string(400, 'a'));
  EXPECT_EQ(encode("10"
                   "8000"
                   "aa"),
            "10"
            "8100"
            "aa");  // two bytes stay two
  EXPECT_EQ(encode("10"), "");
  EXPECT_EQ(error_.fault, FrameFault::too_short);
  EXPECT_EQ(feed("1002aabbc000"), (Frames{"1002aabb", "c000"}));
}

TEST_F(FrameCutsTest, TheCheckIsCountedByTheLength) {
  codec("u16,check=crc16-modbus:le");
  EXPECT_EQ(encode("01030000000a"),
            "0008"
            "01030000000a"
            "c5cd");
  EXPECT_EQ(feed("000801030000000ac5cd"), Frames{"01030000000a"});
  EXPECT_EQ(last_.check, CheckResult::ok);
  EXPECT_EQ(last_.length, 8U);
  EXPECT_EQ(feed("000801030000000bc5cd 000801030000000ac5cd"),
            (Frames{"!01030000000b", "01030000000a"}));
  EXPECT_EQ(bad_checks(), 1U);
  EXPECT_EQ(feed("0001aa"), Frames{"!aa"});  // no room for one
  codec("u8,offset=1,check=sum8@0..");
  EXPECT_EQ(encode("1000aa"), "1002aabc");
  EXPECT_EQ(feed("1002aabc"), Frames{"1002aa"});
}

TEST_F(FrameCutsTest, ABadCheckIsDroppedUnlessAskedFor) {
  FrameDecoder decoder(CodecSpec::parse("u8,check=sum8"), 10);
  Frames frames;
  decoder.feed(unhex("020102 020101"),
               [&](const FrameView& f) { frames.push_back(encode_hex(f.content)); });
  EXPECT_EQ(frames, Frames{"01"});
  EXPECT_EQ(decoder.counters().bad_checks, 1U);
}

TEST_F(FrameCutsTest, Lines) {
  codec("line", 5);
  EXPECT_EQ(feed_bytes("one\r\ntwo\n\n\rx\r\r\n"), (Frames{"one", "two", "", "\rx\r"}));
  EXPECT_EQ(feed_bytes("12345\n12345\r\n123456\n7\n"), (Frames{"12345", "12345", "7"}));
  EXPECT_EQ(last_fault(), FrameFault::too_long);
  EXPECT_EQ(bad_frames(), 1U);
  EXPECT_EQ(decoder_.counters().last.text(), "a frame exceeds the limit of 5 bytes (--max-frame)");
  EXPECT_EQ(feed_bytes("rest"), Frames{});
  EXPECT_EQ(decoder_.pending(), 4U);
  EXPECT_EQ(finish(), Frames{"rest"});
  EXPECT_EQ(decoder_.pending(), 0U);
  EXPECT_EQ(encode_bytes("ab"), "ab\n");
  EXPECT_EQ(encode_bytes("a\nb"), "");
  EXPECT_EQ(error_.fault, FrameFault::mark);
  EXPECT_EQ(encode_bytes("a\r"), "");
}

TEST_F(FrameCutsTest, Delimiters) {
  codec("crlf");
  EXPECT_EQ(feed_bytes("a\nb\r\n\r\r\n"), (Frames{"a\nb", "\r"}));
  EXPECT_EQ(encode_bytes("\r"), "\r\r\n");
  codec("delim=0a0a");
  EXPECT_EQ(encode_bytes("a\n"), "");  // would end one byte early
  EXPECT_EQ(error_.fault, FrameFault::mark);
  EXPECT_EQ(feed_bytes("a\nb\n\nc"), Frames{"a\nb"});
  EXPECT_EQ(decoder_.pending(), 1U);
}

TEST_F(FrameCutsTest, TheRestOfALongLineIsNoUnfinishedFrame) {
  codec("delim=0d0a0d0a", 4);
  EXPECT_EQ(feed_bytes("123456789\r\n"), Frames{});
  EXPECT_EQ(decoder_.pending(), 0U);
  EXPECT_EQ(feed_bytes("\r\nab\r\n\r\n"), Frames{"ab"});
}

TEST_F(FrameCutsTest, StartAndEnd) {
  codec("start=02,end=0d0a", 4);
  EXPECT_EQ(encode("6162"), "0261620d0a");
  EXPECT_EQ(feed("ffff 02 6162 0d0a ff 02 0d0a"), (Frames{"6162", ""}));
  EXPECT_EQ(skipped(), 3U);
  EXPECT_EQ(feed("02 61 02 62 0d0a"), Frames{"62"});
  EXPECT_EQ(last_fault(), FrameFault::start);
  EXPECT_EQ(feed("02 6162636465 0d0a 02 63 0d0a"), Frames{"63"});
  EXPECT_EQ(last_fault(), FrameFault::too_long);
  EXPECT_EQ(bad_frames(), 2U);
  for (const char* body : {"02", "0d0a", "61020d"}) {
    EXPECT_EQ(encode(body), "") << body;
    EXPECT_EQ(error_.fault, FrameFault::mark) << body;
  }
}

TEST_F(FrameCutsTest, StartAndEndWithEscapes) {
  codec("start=02,end=03,escape=10,check=xor8");
  EXPECT_EQ(encode("0203106162"),
            "02"
            "1022"
            "1023"
            "1030"
            "6162"
            "12"
            "03");
  EXPECT_EQ(feed("02 1022 1023 1030 6162 12 03"), Frames{"0203106162"});
  EXPECT_EQ(feed("02 61 10 03 02 63 63 03"), Frames{"63"});
  EXPECT_EQ(last_fault(), FrameFault::stuffing);
}

TEST_F(FrameCutsTest, Slip) {
  codec("slip");
  EXPECT_EQ(encode("01c002db03"), "c001dbdc02dbdd03c0");
  EXPECT_EQ(feed("c001dbdc02dbdd03c0 0102c0 c0c0 03c0"), (Frames{"01c002db03", "0102", "03"}));
  EXPECT_EQ(feed("01db02c0 04c0"), Frames{"04"});
  EXPECT_EQ(last_fault(), FrameFault::stuffing);
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(error_.text(), "the codec has no empty frames");
  EXPECT_EQ(feed("c0"), Frames{});
  EXPECT_EQ(decoder_.pending(), 0U);  // only the end of what was before, as it seems
}

TEST_F(FrameCutsTest, Hdlc) {
  codec("hdlc,check=crc16-x25:le");
  EXPECT_EQ(encode("7e7d"), "7e7d5e7d5d" + encode("7e7d").substr(10));
  const std::string one = encode("0102");
  const std::string two = encode("03");
  EXPECT_EQ(feed("aabb" + one + two + "7e7e" + one), (Frames{"0102", "03", "0102"}));
  EXPECT_EQ(skipped(), 2U);
  EXPECT_EQ(feed(one + two.substr(2)), (Frames{"0102", "03"}));  // one flag for both
  EXPECT_EQ(feed("7e01027d7e" + two), Frames{"03"});             // aborted
  EXPECT_EQ(last_fault(), FrameFault::stuffing);
  EXPECT_EQ(feed("7e7d21"
                 "7d22" +
                 one.substr(6)),
            Frames{"0102"});  // any byte may be escaped
}

TEST_F(FrameCutsTest, OneMarkForBothWithoutEscapes) {
  codec("start=22,end=22");
  EXPECT_EQ(encode_bytes("ab"), "\"ab\"");
  EXPECT_EQ(feed_bytes("x\"ab\"\"c\""), (Frames{"ab", "c"}));
  EXPECT_EQ(encode_bytes("a\"b"), "");
  EXPECT_EQ(error_.fault, FrameFault::mark);
}

// The examples that are usually given for it.
TEST_F(FrameCutsTest, Cobs) {
  codec("cobs");
  const std::pair<const char*, const char*> cases[] = {{"", "0100"},
                                                       {"00", "010100"},
                                                       {"0000", "01010100"},
                                                       {"001100", "0102110100"},
                                                       {"11220033", "031122023300"},
                                                       {"11223344", "051122334400"},
                                                       {"11000000", "021101010100"}};
  for (const auto& [body, wire] : cases) {
    EXPECT_EQ(encode(body), wire);
    EXPECT_EQ(feed(wire), Frames{body});
  }
  std::string long_body;
  for (int byte = 1; byte <= 254; ++byte)
    long_body += encode_hex(std::string(1, static_cast<char>(byte)));
  EXPECT_EQ(encode(long_body), "ff" + long_body + "00");
  EXPECT_EQ(encode("00" + long_body), "01ff" + long_body + "00");
  EXPECT_EQ(encode(long_body + "ff"), "ff" + long_body + "02ff00");
  EXPECT_EQ(feed("ff" + long_body + "00"), Frames{long_body});
  EXPECT_EQ(feed("0511 00 00 00 0211 00"), Frames{"11"});
  EXPECT_EQ(last_fault(), FrameFault::stuffing);
}

TEST_F(FrameCutsTest, AFixedSize) {
  codec("fixed=3");
  EXPECT_EQ(feed("010203 04|0506 07"), (Frames{"010203", "040506"}));
  EXPECT_EQ(decoder_.pending(), 1U);
  EXPECT_EQ(encode("0102"), "");
  EXPECT_EQ(error_.text(), "a body of 2 bytes does not fit a frame of 3");
  codec("fixed=3", 2);
  feed("01");
  EXPECT_EQ(error_.fault, FrameFault::too_long);
}

TEST_F(FrameCutsTest, AFixedSizeFindsItsFramesByTheirCheck) {
  codec("fixed=4,check=crc16-modbus:le");
  const std::string one = encode("0101");
  const std::string two = encode("0202");
  // A byte too many: what begins with it is bad, what follows is not.
  EXPECT_EQ(feed(one + "ee" + two + one), (Frames{"0101", "!ee02", "0202", "0101"}));
  // A bad frame, and then good ones; nothing is left over that anyone would wait for.
  EXPECT_EQ(feed("eeeeeeee" + two), (Frames{"!eeee", "0202"}));
  EXPECT_EQ(feed("eeeeeeee"), Frames{"!eeee"});
  EXPECT_EQ(decoder_.pending(), 0U);
  EXPECT_EQ(feed("eeeeeeee" + one), (Frames{"!eeee", "0101"}));
  EXPECT_EQ(bad_checks(), 4U);
}

TEST_F(FrameCutsTest, ALargeFixedSizeIsLookedForAtSoManyPlaces) {
  codec("fixed=1048576,check=crc32", 1U << 20U);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(feed_bytes(std::string(std::size_t{3} << 20U, 'x')).size(), 3U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30))
      << "else for minutes";
  // Where the stream has slipped far, several frames are lost, and not all.
  codec("fixed=8192,check=crc32", 8192);
  const std::string one = encode_bytes(std::string(8188, 'a'));
  std::string stream(5000, 'x');
  for (int i = 0; i < 30; ++i) stream += one;
  const Frames frames = feed_bytes(stream);
  EXPECT_GT(std::count(frames.begin(), frames.end(), std::string(8188, 'a')), 15);
  EXPECT_EQ(frames.back(), std::string(8188, 'a'));
}

TEST_F(FrameCutsTest, Silence) {
  using std::chrono::milliseconds;
  codec("idle=5ms", 8);
  EXPECT_EQ(decoder_.deadline(), TimePoint::max());
  EXPECT_EQ(feed("0102|03"), Frames{});
  EXPECT_EQ(decoder_.deadline(), now_ + milliseconds(5));
  now_ += milliseconds(4);
  EXPECT_EQ(feed("04"), Frames{});
  now_ += milliseconds(5);
  EXPECT_EQ(feed("05"), Frames{"01020304"});
  Frames frames;
  const auto keep = [&](const FrameView& f) { frames.push_back(encode_hex(f.content)); };
  EXPECT_TRUE(decoder_.expire(now_ + milliseconds(4), keep));
  EXPECT_EQ(frames, Frames{});
  EXPECT_TRUE(decoder_.expire(now_ + milliseconds(5), keep));
  EXPECT_EQ(frames, Frames{"05"});
  EXPECT_EQ(decoder_.deadline(), TimePoint::max());
}

TEST_F(FrameCutsTest, WhatIsTooLongForSilenceIsSkippedUpToIt) {
  using std::chrono::milliseconds;
  codec("idle=5ms", 4);
  EXPECT_EQ(feed("0102030405|0607"), Frames{});
  EXPECT_EQ(bad_frames(), 1U);
  EXPECT_EQ(decoder_.pending(), 0U);
  now_ += milliseconds(9);
  EXPECT_EQ(feed("08"), Frames{});
  EXPECT_EQ(finish(), Frames{"\x08"});
}

TEST_F(FrameCutsTest, ASinkThatStopsAtSilenceTakesNothing) {
  codec("idle=5ms");
  feed("01");
  now_ += std::chrono::milliseconds(5);
  const auto stop = [](const FrameView&) { return false; };
  EXPECT_EQ(decoder_.feed(now_, "x", stop).taken, 0U);
  EXPECT_EQ(decoder_.feed(now_, "x", stop).taken, 1U);
}

}  // namespace
}  // namespace netkit
