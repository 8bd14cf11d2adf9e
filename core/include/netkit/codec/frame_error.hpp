// Errors of frames.
#pragma once

#include <cstdint>
#include <string>

#include <netkit/util/export.hpp>

namespace netkit {

enum class FrameFault : std::uint8_t {
  none,
  too_long,   // over the limit
  empty,      // netkit: a length of 0; encoding: a codec that has no empty frames
  negative,   // length plus adjust is negative
  strip,      // the frame is shorter than what is to be stripped
  varint,     // a varint of more than 64 bits
  digits,     // a length in ASCII that is not all digits
  start,      // a frame began within another, which did not end
  end,        // the end mark is not where the length says
  check,      // the check is wrong, and BadCheck::fail
  stuffing,   // an invalid escape, or an invalid byte count of cobs
  width,      // encoding: the length does not fit the field
  too_short,  // encoding: the content lacks room for its length field, or is below adjust
  mark,       // encoding: the body contains a mark
  size,       // encoding: the body is not of the size that each frame has
  form,       // encoding: the body is invalid in the protocol
};

// What was wrong with a frame; converts to true if something was.
struct NETKIT_API FrameError {
  FrameFault fault = FrameFault::none;
  std::uint64_t length = 0;  // the length in the field, or that the field would have to hold
  std::uint64_t limit = 0;   // the limit that was violated

  explicit operator bool() const { return fault != FrameFault::none; }
  // One line without a full stop, for people; too_long names --max-frame.
  std::string text() const;
  bool operator==(const FrameError&) const = default;
};

}  // namespace netkit
