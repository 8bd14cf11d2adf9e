// Every codec under what lines and peers do to frames: cut anywhere, between garbage, half,
// changed.
#include "unit/codec/frame_tools.hpp"

#include <random>

namespace netkit {
namespace {

const char* const kCodecs[] = {"u16,check=crc16-modbus:le",
                               "u8,offset=2",
                               "varint,offset=1",
                               "digits=3",
                               "u24le,adjust=1,check=crc32@0..",
                               "line",
                               "crlf,check=xor8",
                               "delim=aabbcc",
                               "start=02,end=03",
                               "start=aa55,end=0d0a,check=sum8",
                               "start=02,end=03,escape=10,check=crc8",
                               "start=7c,end=7c,escape=60",
                               "slip",
                               "slip,check=crc32:le",
                               "cobs,check=crc16-xmodem",
                               "hdlc,check=crc16-x25:le",
                               "fixed=12,check=crc16-modbus",
                               "gt06",
                               "jt808",
                               "nmea",
                               "postgres",
                               "mqtt"};

class FrameNoiseTest : public FrameToolsTest {
 protected:
  std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  // A body that the codec can send, as a decoder would give it.
  std::string random_body() {
    while (true) {
      const std::size_t check = spec_.check ? spec_.check->size() : 0;
      std::string body = random_bytes(spec_.size != 0 ? spec_.size - check : random_() % 40 + 4);
      if (spec_.dialect == Dialect::nmea) {
        for (char& byte : body)
          byte = static_cast<char>('A' + static_cast<unsigned char>(byte) % 26);
        body.front() = '$';
      }
      const std::string wire = encode_bytes(body);
      if (error_) continue;
      FrameDecoder decoder(spec_, 1000);
      decoder.feed(wire, [&](const FrameView& frame) { body = frame.content; });
      return body;
    }
  }

  std::mt19937 random_{1};
};

TEST_F(FrameNoiseTest, EverySplitEqualsFeedingAtOnce) {
  for (const char* name : kCodecs) {
    codec(name);
    const Frames bodies = {random_body(), random_body(), random_body()};
    std::string wire;
    for (const std::string& body : bodies) wire += encode_bytes(body);
    EXPECT_EQ(feed_bytes(wire), bodies) << name;
    for (std::size_t i = 0; i <= wire.size(); ++i) {
      codec(name);
      Frames frames = feed_bytes(wire.substr(0, i));
      for (const std::string& body : feed_bytes(wire.substr(i))) frames.push_back(body);
      ASSERT_EQ(frames, bodies) << name << " split at " << i;
      EXPECT_EQ(decoder_.pending(), 0U) << name;
    }
    codec(name);
    Frames frames;
    for (const char byte : wire) {
      for (const std::string& body : feed_bytes(std::string(1, byte))) frames.push_back(body);
    }
    EXPECT_EQ(frames, bodies) << name << " byte for byte";
  }
}

TEST_F(FrameNoiseTest, ACopyGoesOnFromWhereTheOriginalWas) {
  for (const char* name : kCodecs) {
    codec(name);
    const std::string body = random_body();
    const std::string wire = encode_bytes(body);
    feed_bytes(wire.substr(0, wire.size() / 2));
    FrameDecoder copy = decoder_;
    Frames frames;
    copy.feed(wire.substr(wire.size() / 2),
              [&](const FrameView& frame) { frames.emplace_back(frame.content); });
    EXPECT_EQ(frames, Frames{body}) << name;
  }
}

TEST_F(FrameNoiseTest, AFlippedBitIsAlwaysSeen) {
  for (const char* name : kCodecs) {
    codec(name);
    if (!spec_.check || spec_.dialect == Dialect::nmea) continue;
    const std::string wire = encode_bytes(random_body());
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
      std::string other = wire;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ static_cast<char>(1U << bit % 8));
      codec(name);
      for (const std::string& frame : feed_bytes(other)) {
        EXPECT_EQ(frame.front(), kBad) << name << " bit " << bit;
      }
    }
  }
}

// Codecs that find the next frame by something that noise does not have by chance.
const char* const kFinding[] = {"start=aa55,end=0d0a,check=crc16-modbus",
                                "start=02,end=03,escape=10,check=crc32",
                                "slip,check=crc32",
                                "hdlc,check=crc32",
                                "cobs,check=crc32",
                                "delim=aabbccdd,check=crc32",
                                "fixed=16,check=crc32",
                                "gt06",
                                "jt808"};

TEST_F(FrameNoiseTest, EveryGoodFrameComesOutAndEveryBadOneIsCounted) {
  for (const char* name : kFinding) {
    codec(name, 100);
    const std::string body = random_body();
    const std::string wire = encode_bytes(body);
    const std::string changed = [&] {
      std::string bytes = wire;
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
      return bytes;
    }();
    const std::string garbage = std::string(19, '\x01') + '\x05';  // which has no check at its end
    const std::string half = wire.substr(0, wire.size() / 2);
    for (const std::string& noise : {garbage, half, changed, half + half, garbage + changed}) {
      codec(name, 100);
      // A mark before the good frame, for those cut by what stands behind a frame: noise that has
      // no end takes the next frame with it, as nothing tells where it begins.
      const std::string end = spec_.by == CutBy::delimiter ? spec_.end
                              : spec_.by == CutBy::cobs    ? std::string(1, '\0')
                                                           : "";
      Frames good;
      for (const std::string& frame : feed_bytes(noise + end + wire + noise + end + wire + wire)) {
        if (frame.front() != kBad) good.push_back(frame);
      }
      EXPECT_EQ(good, (Frames{body, body, body})) << name << " after " << encode_hex(noise);
      EXPECT_GT(bad_frames() + bad_checks() + skipped(), 0U) << name;
    }
  }
}

TEST_F(FrameNoiseTest, NoiseTakesNoMoreMemoryThanTheLongestFrame) {
  constexpr std::uint64_t kMost = 1000;
  for (const char* name : kCodecs) {
    codec(name, kMost);
    const bool ascii = spec_.dialect == Dialect::nmea;
    for (int i = 0; i < 200; ++i) {
      feed_bytes(ascii ? std::string(500, 'a') : random_bytes(500));
      feed_bytes(std::string(500, '\x41'));
      ASSERT_LE(decoder_.memory(), 8 * kMost) << name;
    }
  }
}

// What would cost the square of its size if any byte were looked at again and again.
TEST_F(FrameNoiseTest, FalseStartsCostNoMoreThanTheirBytes) {
  const std::pair<const char*, std::string> cases[] = {{"start=24,end=0a", "$"},
                                                       {"start=02,end=03,escape=10", "\x02"},
                                                       {"gt06", "x"},
                                                       {"slip", "\xc0"},
                                                       {"hdlc", "~"},
                                                       {"nmea", "$"},
                                                       {"cobs", std::string(1, '\0')},
                                                       {"line", "x"},
                                                       {"delim=6162", "a"}};
  for (const auto& [name, byte] : cases) {
    codec(name, std::uint64_t{1} << 20U);
    std::string bytes;
    for (int i = 0; i < (1 << 18); ++i) bytes += byte;
    std::size_t at = 0;
    for (; at < bytes.size(); at += 997) feed_bytes(bytes.substr(at, 997));
    EXPECT_FALSE(error_) << name;
  }
}

}  // namespace
}  // namespace netkit
