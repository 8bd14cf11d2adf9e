// Frames between a start mark and another end mark.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"
#include "codec/scratch.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace netkit {

// After a start that turns out false (another one before any end, too much before an end, an escape
// that is none) it goes on behind that start with looking for the next.
class MarkCutter {
 public:
  MarkCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return outside_ ? start_.size() : 0; }
  std::size_t memory() const { return scratch_.memory(); }

 private:
  enum class Seen : std::uint8_t { byte, end, start, unknown };

  Cut find_start(std::string_view data);
  Seen look(std::string_view rest) const;
  Cut restart(FrameFault fault);
  Cut whole(std::string_view data);

  std::string start_;
  std::string end_;
  std::optional<char> escape_;
  std::uint64_t limit_;
  std::size_t scanned_ = 0;    // bytes of the frame at the front that are known
  std::uint64_t content_ = 0;  // bytes between its marks so far, escapes undone
  bool outside_ = false;
  Scratch scratch_;
};

std::shared_ptr<const FrameWriter> make_mark_writer(const CodecSpec& spec);

}  // namespace netkit
