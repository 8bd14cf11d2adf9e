// Differential: FrameDecoder fed in pieces against a decoder that sees the whole input and counts
// in 128 bits; and what it hands out is encoded again where the codec allows. The input is a codec
// in text, a zero byte, the size of the pieces, the bytes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/error.hpp>

namespace {

using netkit::CodecSpec;
using netkit::FrameFault;
__extension__ using Wide = __int128;

constexpr std::uint64_t kMaxFrame = 300;

struct Decoded {
  std::vector<std::string> contents;
  FrameFault fault = FrameFault::none;
  std::size_t rest = 0;
};

// Returns false if the field is not all there; `size` becomes its size, 0 for a bad varint.
bool naive_length(const CodecSpec& spec, std::string_view in, Wide& length, std::size_t& size) {
  length = 0;
  if (spec.width == 0) {
    for (size = 0;; ++size) {
      if (spec.offset + size >= in.size()) return false;
      const auto byte = static_cast<unsigned char>(in[spec.offset + size]);
      if (size == 9 && byte > 1) {
        size = 0;
        return true;
      }
      length += static_cast<Wide>(byte & 0x7F) << (7 * size);
      if (byte < 0x80) {
        ++size;
        return true;
      }
    }
  }
  size = spec.width;
  if (in.size() < spec.offset + size) return false;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = spec.little_endian ? size - 1 - i : i;
    length = length * 256 + static_cast<unsigned char>(in[spec.offset + at]);
  }
  return true;
}

Decoded naive(const CodecSpec& spec, std::string_view in) {
  Decoded out;
  Wide length = 0;
  std::size_t size = 0;
  while (naive_length(spec, in, length, size)) {
    const Wide rest = length + spec.adjust;
    const Wide total = rest + static_cast<Wide>(spec.offset + size);
    const Wide strip = spec.strip         ? Wide{*spec.strip}
                       : spec.offset == 0 ? static_cast<Wide>(size)
                                          : 0;
    if (size == 0)
      out.fault = FrameFault::varint;
    else if (rest < 0)
      out.fault = FrameFault::negative;
    else if (rest > kMaxFrame)
      out.fault = FrameFault::too_long;
    else if (rest == 0 && spec.message_ids)
      out.fault = FrameFault::empty;
    else if (strip > total)
      out.fault = FrameFault::strip;
    if (out.fault != FrameFault::none) return out;
    if (total > static_cast<Wide>(in.size())) break;
    const auto skip = static_cast<std::size_t>(strip);
    out.contents.emplace_back(in.substr(skip, static_cast<std::size_t>(total) - skip));
    if (total == 0) std::abort();
    in.remove_prefix(static_cast<std::size_t>(total));
  }
  out.rest = in.size();
  return out;
}

void check_encoding(const CodecSpec& spec, const std::vector<std::string>& contents) {
  try {
    const netkit::FrameEncoder encoder(spec);
    for (const std::string& content : contents) {
      std::string wire;
      if (encoder.append(wire, content)) std::abort();
      const Decoded again = naive(spec, wire);
      if (again.contents != std::vector<std::string>{content} || again.rest != 0) std::abort();
    }
  } catch (const netkit::UsageError&) {
    return;  // a codec that only decodes
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  if (zero == std::string_view::npos || zero + 2 > input.size()) return 0;
  CodecSpec spec;
  try {
    spec = CodecSpec::parse(input.substr(0, zero));
  } catch (const netkit::UsageError&) {
    return 0;
  }
  if (CodecSpec::parse(spec.to_string()) != spec) std::abort();
  const auto piece = static_cast<unsigned char>(input[zero + 1]) % 64U + 1U;
  const std::string_view bytes = input.substr(zero + 2);

  netkit::FrameDecoder decoder(spec, kMaxFrame);
  Decoded out;
  const auto keep = [&](const netkit::FrameView& frame) {
    out.contents.emplace_back(frame.content);
    return out.contents.size() % 3 != 0;
  };
  for (std::size_t at = 0; at < bytes.size() && out.fault == FrameFault::none;) {
    const netkit::FrameDecoder::Result result = decoder.feed(bytes.substr(at, piece), keep);
    at += result.taken;
    out.fault = result.error.fault;
    if (result.error && result.error.text().empty()) std::abort();
  }
  out.rest = decoder.pending();
  const Decoded expected = naive(spec, bytes);
  if (out.contents != expected.contents || out.fault != expected.fault) std::abort();
  if (out.fault == FrameFault::none && out.rest != expected.rest) std::abort();
  check_encoding(spec, out.contents);
  return 0;
}
