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
  negative,   // length and adjust make less than nothing
  strip,      // the frame is shorter than what is to be stripped
  varint,     // a varint of more than 64 bits
  digits,     // a length in ASCII that is not all digits
  start,      // a frame began within another, which did not end
  end,        // the end mark is not where the length says
  check,      // the check is wrong, and BadCheck::fail
  stuffing,   // an escape, or a byte count of cobs, that nobody writes
  width,      // encoding: the length does not fit the field
  too_short,  // encoding: the content lacks room for its length field, or is below adjust
  mark,       // encoding: the body has a mark in it
  size,       // encoding: the body is not of the size that each frame has
  form,       // encoding: the body is invalid in the protocol
};

// What was wrong with a frame; converts to true if something was.
struct NETKIT_API FrameError {
  FrameFault fault = FrameFault::none;
  std::uint64_t length = 0;  // the length that the field says, or that it would have to say
  std::uint64_t limit = 0;   // what the fault is measured against

  explicit operator bool() const { return fault != FrameFault::none; }
  // One line without a full stop, for people; too_long names --max-frame.
  std::string text() const;
  bool operator==(const FrameError&) const = default;
};

}  // namespace netkit
