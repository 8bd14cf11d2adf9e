// Frames with a mark after each: lines, and any other delimiter.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace netkit {

class DelimiterCutter {
 public:
  DelimiterCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  // The rest of a frame that is too long is no longer one.
  std::size_t stale() const { return skipping_ ? end_.size() : 0; }
  static std::size_t memory() { return 0; }

 private:
  Cut ended(std::string_view data, std::size_t end, std::size_t size);
  Cut unended(std::string_view data);

  std::string end_;
  std::uint64_t limit_;
  std::size_t scanned_ = 0;  // no end begins before it
  bool line_;                // a CR before the end goes, and a last line needs no end
  bool skipping_ = false;
};

std::shared_ptr<const FrameWriter> make_delimiter_writer(const CodecSpec& spec);

}  // namespace netkit
