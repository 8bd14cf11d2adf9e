// Codecs whose frames are datagrams.
#include "unit/codec/frame_tools.hpp"

namespace netkit {
namespace {

class FrameDatagramTest : public FrameToolsTest {
 protected:
  void codec(std::string_view text) {
    FrameToolsTest::codec(text);
    spec_ = spec_.in_datagrams();
    decoder_ = FrameDecoder(spec_, 1000, BadCheck::pass);
  }
  // One datagram in hexadecimal, its frames in hexadecimal, too.
  Frames datagram(std::string_view hex) {
    Frames frames = feed(hex);
    for (const std::string& content : finish()) {
      const std::size_t mark = content.starts_with(kBad) ? 1 : 0;
      frames.push_back(content.substr(0, mark) + encode_hex(content.substr(mark)));
    }
    return frames;
  }
};

TEST_F(FrameDatagramTest, WhatTellsEndsIsLeftOut) {
  for (const char* name : {"dns", "netkit", "u32le", "varint", "digits=3", "line", "delim=6162",
                           "start=02,end=03", "slip", "cobs", "hdlc", "fixed=3", "idle=5ms"}) {
    codec(name);
    EXPECT_EQ(encode("c07e0d0a026162"), "c07e0d0a026162") << name;
    EXPECT_EQ(datagram("c07e0d0a026162"), Frames{"c07e0d0a026162"}) << name;
  }
}

TEST_F(FrameDatagramTest, TheCheckStays) {
  codec("slip,check=crc16-modbus:le");
  EXPECT_EQ(encode("01030000000a"), "01030000000ac5cd");
  EXPECT_EQ(datagram("01030000000ac5cd"), Frames{"01030000000a"});
  EXPECT_EQ(datagram("01030000000bc5cd"), Frames{"!01030000000b"});
  codec("modbus-rtu");
  EXPECT_EQ(datagram("01030000000ac5cd"), Frames{"01030000000a"});
}

TEST_F(FrameDatagramTest, ALengthThatIsPartOfTheBodyStays) {
  codec("modbus-tcp");
  EXPECT_EQ(encode("000100000000 1103"),
            "00010000"
            "0002"
            "1103");
  EXPECT_EQ(datagram("000100000002"
                     "1103"),
            Frames{"0001000000021103"});
  EXPECT_EQ(datagram("000100000003"
                     "1103"),
            Frames{});  // less than it says
  EXPECT_EQ(rest_, 8U);
  EXPECT_EQ(datagram("000100000002"
                     "1103"),
            Frames{"0001000000021103"});
}

TEST_F(FrameDatagramTest, DialectsAreAsInAStream) {
  codec("gt06");
  const std::string login = "78780d01012345678901234500018cdd0d0a";
  EXPECT_EQ(encode("0101234567890123450001"), login);
  EXPECT_EQ(datagram(login), Frames{"0101234567890123450001"});
  codec("nmea");
  EXPECT_EQ(datagram(encode_hex("$A*41\r\n$B*42")), (Frames{encode_hex("$A"), encode_hex("$B")}));
  EXPECT_EQ(rest_, 0U);
}

TEST_F(FrameDatagramTest, NothingOfADatagramGetsIntoTheNext) {
  for (const char* name : {"gt06", "jt808", "nmea", "mqtt", "postgres"}) {
    codec(name);
    const char* const body = std::string_view(name) == "nmea"       ? "2441"
                             : std::string_view(name) == "postgres" ? "5a0000000549"
                                                                    : "c000";
    const std::string wire = encode(body);
    datagram(wire.substr(0, wire.size() - 2));
    EXPECT_EQ(datagram(wire), Frames{body}) << name;
    EXPECT_EQ(rest_, 0U) << name;
  }
}

}  // namespace
}  // namespace netkit
