// One family of cutters, whose codecs kCutCodecs names with spaces between. The first byte of the
// input chooses one, the second the size of the pieces; the rest is
// - a stream: in pieces it gives the frames, counters and error that it gives at once, and what is
//   held is bounded; a body that came out and that can be sent comes out again;
// - a body: if it can be sent, it comes out as the only frame, whatever the pieces.
#include <algorithm>
#include <cstdint>
#include <fuzz/fuzz_check.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/frame_codec.hpp>

extern const char* const kCutCodecs;

namespace {

using netkit::BadCheck;
using netkit::CheckResult;
using netkit::CodecSpec;
using netkit::FrameDecoder;
using netkit::FrameView;

constexpr std::uint64_t kMaxFrame = 300;
// The most that one frame within the limit takes, doubled as strings grow, and the room for
// undoing its stuffing.
constexpr std::size_t kMostMemory = 6 * kMaxFrame + 1024;

struct Frame {
  std::string content;
  std::string wire;
  std::uint64_t length;
  CheckResult check;
  bool operator==(const Frame&) const = default;
};

struct Stream {
  std::vector<Frame> frames;
  netkit::FrameCounters counters;
  netkit::FrameError error;
  std::size_t rest = 0;
};

std::vector<CodecSpec> codecs() {
  std::vector<CodecSpec> specs;
  std::string_view texts = kCutCodecs;
  while (!texts.empty()) {
    const std::size_t end = std::min(texts.find(' '), texts.size());
    specs.push_back(CodecSpec::parse(texts.substr(0, end), netkit::Timing::timed));
    texts.remove_prefix(std::min(end + 1, texts.size()));
  }
  return specs;
}

Stream decode(const CodecSpec& spec, std::string_view bytes, std::size_t piece) {
  FrameDecoder decoder(spec, kMaxFrame, BadCheck::pass);
  Stream out;
  const auto keep = [&](const FrameView& frame) {
    FUZZ_CHECK(frame.content.size() <= frame.wire.size());
    out.frames.push_back(
        {std::string(frame.content), std::string(frame.wire), frame.length, frame.check});
    return out.frames.size() % 3 != 0;  // a sink that stops now and then loses nothing
  };
  for (std::size_t at = 0; at < bytes.size() && !out.error;) {
    const FrameDecoder::Result result = decoder.feed(bytes.substr(at, piece), keep);
    at += result.taken;
    out.error = result.error;
    FUZZ_CHECK(decoder.memory() <= kMostMemory + 2 * std::min(piece, std::size_t{512}));
  }
  // Frames that lay whole in the buffer when the sink stopped.
  for (std::size_t before = 0; !out.error && before != out.frames.size();) {
    before = out.frames.size();
    decoder.feed({}, keep);
  }
  out.rest = decoder.pending();
  decoder.finish(keep);
  out.counters = decoder.counters();
  return out;
}

void check_same(const Stream& one, const Stream& other) {
  FUZZ_CHECK(one.frames == other.frames);
  FUZZ_CHECK(one.error == other.error);
  FUZZ_CHECK(one.error || one.rest == other.rest);
  FUZZ_CHECK(one.counters.bad_checks == other.counters.bad_checks);
  FUZZ_CHECK(one.counters.bad_frames == other.counters.bad_frames);
  FUZZ_CHECK(one.counters.skipped == other.counters.skipped);
  FUZZ_CHECK(one.counters.last == other.counters.last);
}

void check_stream(const CodecSpec& spec, std::string_view bytes, std::size_t piece) {
  const Stream whole = decode(spec, bytes, bytes.size());
  check_same(decode(spec, bytes, piece), whole);
  std::size_t frames = 0;
  for (const Frame& frame : whole.frames) {
    frames += frame.wire.size();
    if (frame.check == CheckResult::bad) continue;
    const netkit::FrameEncoder encoder(spec);
    std::string wire;
    if (encoder.check({}, frame.content, kMaxFrame)) continue;
    if (encoder.append(wire, frame.content)) continue;
    const Stream again = decode(spec, wire, wire.size());
    FUZZ_CHECK(again.frames.size() == 1 && again.frames[0].content == frame.content);
  }
  // A frame of a fixed size that is bad may overlap the good one behind it.
  if (spec.by != netkit::CutBy::fixed) FUZZ_CHECK(frames <= bytes.size());
}

// What a length field in the body holds is filled in, so that only the rest of it is the same.
bool is_filled_in(const CodecSpec& spec) {
  return spec.by == netkit::CutBy::length && spec.dialect != netkit::Dialect::gt06 &&
         (spec.strip ? *spec.strip == 0 : spec.offset != 0);
}

void check_body(const CodecSpec& spec, std::string_view body, std::size_t piece) {
  const netkit::FrameEncoder encoder(spec);
  std::string wire;
  const std::string_view head = body.substr(0, body.size() / 2);
  const netkit::FrameError error = encoder.append(wire, head, body.substr(head.size()));
  FUZZ_CHECK(!error || (wire.empty() && !error.text().empty()));
  if (error || encoder.check({}, body, kMaxFrame)) return;
  const Stream out = decode(spec, wire, piece);
  FUZZ_CHECK(!out.error && out.rest == (spec.by == netkit::CutBy::idle ? wire.size() : 0));
  FUZZ_CHECK(out.frames.size() == 1 && out.counters.bad_frames == 0 && out.counters.skipped == 0);
  FUZZ_CHECK(out.frames[0].check != CheckResult::bad);
  FUZZ_CHECK((out.frames[0].check == CheckResult::none) == (spec.check == nullptr));
  if (is_filled_in(spec)) {
    wire.clear();
    FUZZ_CHECK(!encoder.append(wire, out.frames[0].content));
    FUZZ_CHECK(decode(spec, wire, piece).frames == out.frames);
  } else {
    FUZZ_CHECK(out.frames[0].content == body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<CodecSpec> specs = codecs();
  if (size < 3) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const CodecSpec& spec = specs[data[0] % specs.size()];
  const std::size_t piece = data[1] % 64U + 1U;
  FUZZ_CHECK(CodecSpec::parse(spec.to_string(), netkit::Timing::timed) == spec);
  check_stream(spec, input.substr(2), piece);
  check_body(spec, input.substr(2), piece);
  return 0;
}
