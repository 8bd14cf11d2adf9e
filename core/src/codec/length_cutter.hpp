// Frames by a length field, where there is more to them than the field and a content: a check, a
// field within the content, PostgreSQL's other first frame.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <netkit/codec/length_layout.hpp>

namespace netkit {

class LengthCutter {
 public:
  LengthCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data) const;
  static Cut last(std::string_view) { return Cut::more(); }
  static std::size_t stale() { return 0; }
  static std::size_t memory() { return 0; }

 private:
  LengthLayout layout_;
  std::optional<LengthLayout> after_zero_;  // of a frame that begins with a zero byte
};

std::shared_ptr<const FrameWriter> make_length_writer(const CodecSpec& spec);

}  // namespace netkit
