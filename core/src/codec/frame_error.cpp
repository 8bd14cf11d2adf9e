#include <fmt/format.h>

#include <netkit/codec/frame_error.hpp>

namespace netkit {

std::string FrameError::text() const {
  switch (fault) {
    case FrameFault::none:
      return "no error";
    case FrameFault::too_long:
      if (length == 0) {
        return fmt::format("a frame exceeds the limit of {} bytes (--max-frame)", limit);
      }
      return fmt::format("a frame of length {} exceeds the limit of {} bytes (--max-frame)", length,
                         limit);
    case FrameFault::empty:
      return limit == 0 ? "a frame of length 0 has no message id" : "the codec has no empty frames";
    case FrameFault::negative:
      return fmt::format("a frame of length {} is too short for the codec's adjust of -{}", length,
                         limit);
    case FrameFault::strip:
      return fmt::format("a frame of length {} is shorter than the {} bytes that the codec strips",
                         length, limit);
    case FrameFault::varint:
      return "a varint has more than 64 bits";
    case FrameFault::digits:
      return fmt::format("a length is not {} decimal digits", limit);
    case FrameFault::start:
      return "a frame began before the previous one ended";
    case FrameFault::end:
      return "a frame does not end where its length says";
    case FrameFault::check:
      return "the check of a frame is wrong (--bad)";
    case FrameFault::stuffing:
      return "a frame contains invalid byte stuffing";
    case FrameFault::width:
      return fmt::format("a length of {} does not fit the codec's length field (at most {})",
                         length, limit);
    case FrameFault::too_short:
      return fmt::format("a content of {} bytes is shorter than the {} the codec needs", length,
                         limit);
    case FrameFault::mark:
      return "a body that contains a delimiter of the codec cannot be sent";
    case FrameFault::size:
      return fmt::format("a body of {} bytes does not fit a frame of {}", length, limit);
    case FrameFault::form:
      return "the body is not valid in this protocol";
  }
  return "unknown error";
}

}  // namespace netkit
