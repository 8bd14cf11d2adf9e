// A codec in text: whatever is taken reads back from its own text, and can be decoded by.
#include <cstdint>
#include <fuzz/fuzz_check.hpp>
#include <string>
#include <string_view>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto spec = netkit::CodecSpec::parse(text, netkit::Timing::timed);
    FUZZ_CHECK(netkit::CodecSpec::parse(spec.to_string(), netkit::Timing::timed) == spec);
    netkit::FrameDecoder decoder(spec, 100);
    decoder.feed(text, [](const netkit::FrameView&) {});
    const netkit::FrameEncoder encoder(spec);
    std::string wire;
    encoder.append(wire, text);
  } catch (const netkit::UsageError& error) {
    // What it says ends at a NUL, which no command line and no configuration file has.
    FUZZ_CHECK(text.find('\0') != text.npos || std::string_view(error.what()).size() > 10);
  }
  return 0;
}
