// Frames of the named protocols as their specifications and real peers have them.
#include "unit/codec/frame_tools.hpp"

#include <fstream>
#include <iterator>

#include <netkit/codec/codec_spec.hpp>

namespace netkit {
namespace {

class CodecNamesTest : public FrameToolsTest {
 protected:
  // The frame `wire` has the body `body`, and the body makes the frame.
  void expect_frame(std::string_view name, std::string_view wire, std::string_view body) {
    codec(name, 70000);
    Frames frames = feed(wire);
    for (const std::string& frame : finish()) frames.push_back(encode_hex(frame));
    EXPECT_EQ(frames, Frames{encode_hex(unhex(body))}) << name;
    EXPECT_EQ(encode(body), encode_hex(unhex(wire))) << name;
  }
};

TEST_F(CodecNamesTest, EachIsALineOfTheGrammar) {
  std::string before;
  for (const NamedCodec& named : codec_names()) {
    const CodecSpec spec = CodecSpec::parse(named.name, Timing::timed);
    EXPECT_EQ(spec.to_string(), named.name);
    EXPECT_EQ(CodecSpec::parse(named.codec, Timing::timed).to_string(), named.codec);
    EXPECT_FALSE(named.protocol.empty() || named.body.empty()) << named.name;
    EXPECT_TRUE(named.name == "netkit" || before == "netkit" || before < named.name);
    EXPECT_NO_THROW(FrameEncoder{spec}) << named.name;
    before = named.name;
  }
  EXPECT_EQ(codec_names().size(), 11U);
}

TEST_F(CodecNamesTest, TheManualHasThemAll) {
  std::ifstream file(NETKIT_MANUAL);
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const NamedCodec& named : codec_names()) {
    const std::string item = "\n.It Li " + std::string(named.name) + "\n";
    const std::size_t at = page.find(item);
    ASSERT_NE(at, std::string::npos) << named.name;
    const std::string entry = page.substr(at + item.size(), page.find("\n.It", at + 1) - at);
    if (named.name != "netkit") {
      EXPECT_NE(entry.find(named.codec), std::string::npos) << named.name << ": " << named.codec;
    }
  }
}

TEST_F(CodecNamesTest, LengthsInFront) {
  expect_frame("dns", "0003 000101", "000101");
  expect_frame("kafka", "00000002 0012", "0012");
  expect_frame("mysql", "020000 00 0aff", "000aff");
}

TEST_F(CodecNamesTest, ModbusTcpIsTheWholeFrame) {
  expect_frame("modbus-tcp", "0001 0000 0006 11 03 006b 0003", "0001 0000 0006 11 03 006b 0003");
  EXPECT_EQ(encode("000100000000 11 03 006b 0003"), "0001000000061103006b0003");
}

TEST_F(CodecNamesTest, MqttIsTheWholePacket) {
  expect_frame("mqtt", "c000", "c000");
  expect_frame("mqtt", "20020000", "20020000");
  EXPECT_EQ(encode("100000044d515454"
                   "0402003c0000"),
            "100c00044d515454"
            "0402003c0000");
}

TEST_F(CodecNamesTest, PostgresBeginsWithAMessageWithoutAType) {
  expect_frame("postgres", "00000008 04d2162f", "00000008 04d2162f");  // asks for TLS
  expect_frame("postgres", "52 00000008 00000000", "52 00000008 00000000");
  EXPECT_EQ(encode("51 00000000 3b00"), "51000000063b00");
  EXPECT_EQ(encode("00000000 00030000 00"), "000000090003000000");
  EXPECT_EQ(feed("00000008 04d2162f 51 00000004"), (Frames{"0000000804d2162f", "5100000004"}));
}

TEST_F(CodecNamesTest, ModbusRtuEndsBySilence) {
  expect_frame("modbus-rtu", "01 03 0000 000a c5cd", "01 03 0000 000a");
  expect_frame("modbus-rtu", "11 03 006b 0003 7687", "11 03 006b 0003");
}

TEST_F(CodecNamesTest, Nmea) {
  codec("nmea", 82);
  const std::string fix = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,";
  EXPECT_EQ(encode_bytes(fix), fix + "*47\r\n");
  EXPECT_EQ(feed_bytes("...\r\n" + fix + "*47\r\n"), Frames{fix});
  EXPECT_EQ(last_.check, CheckResult::ok);
  const std::string ship = "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0";
  EXPECT_EQ(encode_bytes(ship), ship + "*5C\r\n");
  EXPECT_EQ(feed_bytes(ship + "*5c\n$A\r\n"), (Frames{ship, "$A"}));
  EXPECT_EQ(last_.check, CheckResult::none);
  EXPECT_EQ(feed_bytes("$A*42\n$B*4\n$C*xx\n"), (Frames{"!$A", "!$B*4", "!$C*xx"}));
  EXPECT_EQ(feed_bytes("$GPGG$A\n"), Frames{"$A"});
  EXPECT_EQ(last_fault(), FrameFault::start);
  for (const char* body : {"", "A", "$A*41", "$A\r", "$A$"}) {
    EXPECT_EQ(encode_bytes(body), "");
    EXPECT_EQ(error_.fault, FrameFault::form) << body;
  }
}

TEST_F(CodecNamesTest, Gt06HasTwoKindsOfStart) {
  expect_frame("gt06", "7878 0d 01 0123456789012345 0001 8cdd 0d0a", "01 0123456789012345 0001");
  const std::string large(2 * 300, 'a');
  EXPECT_EQ(encode(large).substr(0, 8), "7979012e");
  EXPECT_EQ(feed(encode(large)), Frames{large});
  EXPECT_EQ(feed("7979 0005 01 0001 d9dc 0d0a"), Frames{"!010001"});
}

TEST_F(CodecNamesTest, Gt06FindsTheNextStart) {
  codec("gt06", 100);
  const std::string login = "7878 0d 01 0123456789012345 0001 8cdd 0d0a";
  const std::string body = "0101234567890123450001";
  EXPECT_EQ(feed("78 79 aa" + login), Frames{body});
  EXPECT_EQ(feed("7878 0d 01 02 03" + login), Frames{body});  // half a frame before
  EXPECT_EQ(last_fault(), FrameFault::end);
  EXPECT_EQ(feed("7878 02 0102 0d0a 7979 7fff" + login), Frames{body});
  EXPECT_EQ(last_fault(), FrameFault::too_long);
  EXPECT_EQ(feed("78" + login), Frames{body});
}

TEST_F(CodecNamesTest, Jt808HasEscapesOfItsOwn) {
  expect_frame("jt808", "7e 30 7d02 08 7d01 55 6e 7e", "30 7e 08 7d 55");
  EXPECT_EQ(feed("7e 30 7d03 08 7e 30 31 01 7e"), Frames{"3031"});
  EXPECT_EQ(last_fault(), FrameFault::stuffing);
}

}  // namespace
}  // namespace netkit
