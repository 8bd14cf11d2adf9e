// Frames between flags, one byte that begins and ends them, with byte stuffing in between: SLIP,
// HDLC, and whatever has the same start and end.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"
#include "codec/scratch.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace netkit {

struct FlagRules {
  char flag;
  std::optional<char> escape;
  char flag_code;    // what stands after an escape for the flag
  char escape_code;  // and for the escape
  bool any_code;     // any other byte may stand there, XORed with 0x20
  bool opens;        // a frame is nothing without the flag before it

  // Whether these rules do for a codec by marks.
  static bool fit(const CodecSpec& spec) { return spec.start == spec.end; }
  static FlagRules of(const CodecSpec& spec);
};

// The flag that ends a frame may begin the next. Nothing between two flags is no frame.
class FlagCutter {
 public:
  FlagCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return lone_ ? 1 : 0; }  // a flag that ended a frame, as it seems
  std::size_t memory() const { return scratch_.memory(); }

 private:
  Cut skip_to_flag(std::string_view data);
  Cut whole(std::string_view content, std::size_t size);
  bool unstuff(std::string_view content, const char* escape, std::string_view& image);

  FlagRules rules_;
  std::uint64_t limit_;
  std::uint64_t most_;  // bytes that a frame within the limit has between its flags
  std::size_t scanned_ = 0;
  bool open_;  // a flag stands before what is at the front
  bool skipping_ = false;
  bool lone_ = false;
  Scratch scratch_;
};

std::shared_ptr<const FrameWriter> make_flag_writer(const CodecSpec& spec);

}  // namespace netkit
