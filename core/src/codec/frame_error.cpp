#include <fmt/format.h>

#include <netkit/codec/frame_error.hpp>

namespace netkit {

std::string FrameError::text() const {
  switch (fault) {
    case FrameFault::none:
      return "no error";
    case FrameFault::too_long:
      if (length == 0) {
        return fmt::format("a frame is over the limit of {} bytes (--max-frame)", limit);
      }
      return fmt::format("a frame of length {} is over the limit of {} bytes (--max-frame)", length,
                         limit);
    case FrameFault::empty:
      return limit == 0 ? "a frame of length 0 has no message id"
                        : "the codec has no frames without a body";
    case FrameFault::negative:
      return fmt::format("a frame of length {} is less than the codec's adjust of -{} takes away",
                         length, limit);
    case FrameFault::strip:
      return fmt::format("a frame of length {} is shorter than the {} bytes that the codec strips",
                         length, limit);
    case FrameFault::varint:
      return "a length of more than 64 bits is not a varint";
    case FrameFault::digits:
      return fmt::format("a length is not the {} digits that the codec has for it", limit);
    case FrameFault::start:
      return "a frame began before the one before it had ended";
    case FrameFault::end:
      return "the end of a frame is not where its length says";
    case FrameFault::check:
      return "the check of a frame is wrong (--bad)";
    case FrameFault::stuffing:
      return "a frame has bytes that the codec's stuffing never makes";
    case FrameFault::width:
      return fmt::format(
          "a length of {} does not fit the codec's length field, whose greatest is {}", length,
          limit);
    case FrameFault::too_short:
      return fmt::format("a content of {} bytes is shorter than the {} that the codec needs",
                         length, limit);
    case FrameFault::mark:
      return "a body that has one of the codec's marks in it cannot be sent by it";
    case FrameFault::size:
      return fmt::format("a body of {} bytes does not make a frame of {}", length, limit);
    case FrameFault::form:
      return "a body of that form is none of the protocol's";
  }
  return "unknown error";
}

}  // namespace netkit
