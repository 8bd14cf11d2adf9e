#include "codec/frame_writer.hpp"

#include "codec/cutters.hpp"

#include <cstring>

namespace netkit {

FrameError ImageWriter::append(ByteBuffer& out, std::string_view head,
                               std::string_view body) const {
  const std::size_t before = lead_.size() + head.size() + body.size();
  const std::size_t image = before + check_size();
  const std::size_t most = room(image);
  // The image is made behind the room of the frame, which is then written from it.
  char* const to = out.reserve(most + image);
  char* at = to + most;
  for (const std::string_view part : {std::string_view(lead_), head, body}) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  if (check_) check_->put(at, {to + most, before}, lead_.size());
  std::size_t size = 0;
  const FrameError error = wrap({to + most, image}, to, size);
  if (!error) out.commit(size);
  return error;
}

FrameError FrameWriter::limit(std::string_view head, std::string_view body,
                              std::uint64_t max_frame) const {
  return limit_length(head.size() + body.size() + check_size(), max_frame);
}

FrameError FrameWriter::limit_length(std::uint64_t length, std::uint64_t max_frame) {
  if (length <= max_frame) return {};
  return {FrameFault::too_long, length, max_frame};
}

std::shared_ptr<const FrameWriter> make_frame_writer(const CodecSpec& spec) {
  if (spec.dialect == Dialect::nmea) return make_nmea_writer(spec);
  if (spec.dialect == Dialect::gt06) return make_gt06_writer(spec);
  switch (spec.by) {
    case CutBy::length:
      return make_length_writer(spec);
    case CutBy::line:
    case CutBy::delimiter:
      return make_delimiter_writer(spec);
    case CutBy::marks:
      if (FlagRules::fit(spec)) return make_flag_writer(spec);
      return make_mark_writer(spec);
    case CutBy::slip:
    case CutBy::hdlc:
      return make_flag_writer(spec);
    case CutBy::cobs:
      return make_cobs_writer(spec);
    case CutBy::fixed:
    case CutBy::idle:
      return make_block_writer(spec);
  }
  return nullptr;
}

}  // namespace netkit
