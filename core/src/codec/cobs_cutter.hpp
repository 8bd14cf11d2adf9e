// Consistent overhead byte stuffing (Cheshire and Baker): frames without a zero byte, and one after
// each.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"
#include "codec/scratch.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace netkit {

class CobsCutter {
 public:
  explicit CobsCutter(std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  static std::size_t stale() { return 0; }
  std::size_t memory() const { return scratch_.memory(); }

 private:
  Cut whole(std::string_view stuffed, std::size_t size);

  std::uint64_t limit_;
  std::uint64_t most_;  // bytes that a frame within the limit has before its zero
  std::size_t scanned_ = 0;
  bool skipping_ = false;
  Scratch scratch_;
};

std::shared_ptr<const FrameWriter> make_cobs_writer(const CodecSpec& spec);

}  // namespace netkit
