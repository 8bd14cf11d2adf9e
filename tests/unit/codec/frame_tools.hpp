// A decoder and an encoder of one codec, spoken to in hexadecimal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/codec/frame_codec.hpp>

namespace netkit {

using Frames = std::vector<std::string>;

inline std::string unhex(std::string_view text) {
  return decode_hex(text).value();
}

class FrameToolsTest : public testing::Test {
 protected:
  void codec(std::string_view text, std::uint64_t max_frame = 1024) {
    spec_ = CodecSpec::parse(text, Timing::timed);
    decoder_ = FrameDecoder(spec_, max_frame, BadCheck::pass);
    error_ = {};
  }

  // Bytes in, contents out, a frame with a bad check with `!` in front.
  Frames feed_bytes(std::string_view bytes) {
    Frames frames;
    const auto result = decoder_.feed(now_, bytes, [&](const FrameView& f) { keep(frames, f); });
    error_ = result.error;
    return frames;
  }
  // Hexadecimal both ways; `|` cuts the input into pieces.
  Frames feed(std::string_view pieces) {
    Frames frames;
    while (true) {
      const std::size_t cut = pieces.find('|');
      for (const std::string& content : feed_bytes(unhex(pieces.substr(0, cut)))) {
        const std::size_t mark = content.starts_with(kBad) ? 1 : 0;
        frames.push_back(content.substr(0, mark) + encode_hex(content.substr(mark)));
      }
      if (cut == std::string_view::npos) return frames;
      pieces.remove_prefix(cut + 1);
    }
  }
  Frames finish() {
    Frames frames;
    rest_ = decoder_.finish([&](const FrameView& frame) { keep(frames, frame); });
    return frames;
  }

  std::string encode_bytes(std::string_view body) {
    std::string out;
    error_ = FrameEncoder(spec_).append(out, body.substr(0, body.size() / 2),
                                        body.substr(body.size() / 2));
    return out;
  }
  std::string encode(std::string_view body) { return encode_hex(encode_bytes(unhex(body))); }

  FrameFault last_fault() const { return decoder_.counters().last.fault; }
  std::uint64_t bad_frames() const { return decoder_.counters().bad_frames; }
  std::uint64_t bad_checks() const { return decoder_.counters().bad_checks; }
  std::uint64_t skipped() const { return decoder_.counters().skipped; }

  static constexpr char kBad = '!';

  CodecSpec spec_;
  FrameDecoder decoder_{spec_, 1024, BadCheck::pass};
  FrameError error_;
  FrameView last_;        // its views are gone
  std::size_t rest_ = 0;  // what finish() found of no frame
  TimePoint now_{};

 private:
  void keep(Frames& frames, const FrameView& frame) {
    last_ = frame;
    const bool bad = frame.check == CheckResult::bad;
    frames.push_back((bad ? std::string(1, kBad) : "") + std::string(frame.content));
  }
};

}  // namespace netkit
