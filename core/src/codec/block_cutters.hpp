// Frames with nothing around them: of one size, or with silence after each.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace netkit {

// Where the check of a frame is wrong, the stream may have slipped: the next frame is the next run
// of bytes whose check is right, or else those behind the bad one.
class FixedCutter {
 public:
  FixedCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return slipped_; }
  static std::size_t memory() { return 0; }

 private:
  std::shared_ptr<const Check> check_;
  std::uint64_t limit_;
  std::size_t size_;
  std::size_t slipped_ = 0;  // bytes at the front that were part of a bad frame
};

class IdleCutter {
 public:
  explicit IdleCutter(std::uint64_t limit) : limit_(limit) {}

  Cut cut(std::string_view data);
  Cut last(std::string_view data);  // after the silence
  bool waits(std::size_t unfinished) const { return unfinished > 0 || skipping_; }
  static std::size_t stale() { return 0; }
  static std::size_t memory() { return 0; }

 private:
  std::uint64_t limit_;
  bool skipping_ = false;
};

std::shared_ptr<const FrameWriter> make_block_writer(const CodecSpec& spec);

}  // namespace netkit
