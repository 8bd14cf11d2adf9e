#include "codec/frame_cutter.hpp"
#include "codec/frame_writer.hpp"

#include <array>

#include <netkit/codec/frame_codec.hpp>

namespace netkit {

namespace {

bool is_plain_length(const CodecSpec& spec) {
  return spec.by == CutBy::length && spec.dialect == Dialect::none && !spec.check;
}

// Whether a frame is a length field and then the content as it is.
bool is_prefix(const CodecSpec& spec) {
  const std::uint32_t field = spec.width + spec.digits;
  const bool varint = field == 0;
  return spec.offset == 0 && (!spec.strip || (!varint && *spec.strip == field));
}

}  // namespace

FrameDecoder::FrameDecoder(const CodecSpec& spec, std::uint64_t max_frame, BadCheck bad) {
  if (is_plain_length(spec)) {
    layout_ = LengthLayout(spec, max_frame);
  } else {
    cutter_ = std::make_unique<FrameCutter>(spec, max_frame, bad);
  }
}

FrameDecoder::~FrameDecoder() = default;
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;

FrameDecoder::FrameDecoder(const FrameDecoder& other)
    : partial_(other.partial_),
      layout_(other.layout_),
      error_(other.error_),
      cutter_(other.cutter_ ? std::make_unique<FrameCutter>(*other.cutter_) : nullptr) {}

FrameDecoder& FrameDecoder::operator=(const FrameDecoder& other) {
  return *this = FrameDecoder(other);
}

bool FrameDecoder::cut(std::string_view data, std::size_t& at, FrameView& frame) {
  return cutter_->next(data, at, frame);
}

bool FrameDecoder::cut_expired(TimePoint now, FrameView& frame) {
  return cutter_ && cutter_->expired(now, frame);
}

bool FrameDecoder::cut_last(FrameView& frame, std::size_t& rest) {
  if (cutter_) return cutter_->last(frame, rest);
  rest = partial_.size();
  clear_partial();
  error_ = {};
  return false;
}

void FrameDecoder::set_time(TimePoint now) {
  if (cutter_) cutter_->set_time(now);
}

TimePoint FrameDecoder::deadline() const {
  return cutter_ ? cutter_->deadline() : TimePoint::max();
}

FrameError FrameDecoder::cut_error() const {
  return cutter_->error();
}

std::size_t FrameDecoder::pending() const {
  return cutter_ ? cutter_->pending() : partial_.size();
}

std::size_t FrameDecoder::memory() const {
  return cutter_ ? cutter_->memory() : partial_.capacity();
}

FrameCounters FrameDecoder::counters() const {
  return cutter_ ? cutter_->counters() : FrameCounters{};
}

std::uint64_t FrameDecoder::pending_total() const {
  if (cutter_) return cutter_->pending_total();
  FrameHead head;
  if (layout_.parse(partial_.data(), partial_.size(), head) != Parsed::whole) return 0;
  return head.total;
}

// Goes on with the unfinished frame: `whole` if partial_ has all of it now.
FrameDecoder::Parsed FrameDecoder::complete_partial(std::string_view data, std::size_t& at,
                                                    FrameHead& head) {
  Parsed parsed = layout_.parse(partial_.data(), partial_.size(), head);
  while (parsed == Parsed::incomplete && at < data.size()) {
    partial_.push_back(data[at++]);
    parsed = layout_.parse(partial_.data(), partial_.size(), head);
  }
  if (parsed != Parsed::whole) return parsed;
  const std::string_view piece = data.substr(at, head.total - partial_.size());
  partial_.append(piece);
  at += piece.size();
  return partial_.size() < head.total ? Parsed::incomplete : Parsed::whole;
}

void FrameDecoder::clear_partial() {
  if (partial_.capacity() > kKeptCapacity) {
    std::string().swap(partial_);
  } else {
    partial_.clear();
  }
}

FrameEncoder::FrameEncoder(const CodecSpec& spec) : field_(spec) {
  if (!is_plain_length(spec) || !is_prefix(spec)) writer_ = make_frame_writer(spec);
}

FrameError FrameEncoder::write(ByteBuffer& out, std::string_view head,
                               std::string_view body) const {
  return writer_->append(out, head, body);
}

FrameError FrameEncoder::append(std::string& out, std::string_view head,
                                std::string_view body) const {
  if (writer_ != nullptr) {
    ByteBuffer frame;
    const FrameError error = writer_->append(frame, head, body);
    out.append(frame.view());
    return error;
  }
  std::array<char, kMaxField> field;
  const std::size_t size = field_.put(field.data(), head.size() + body.size());
  if (size == 0) return error_of(head.size() + body.size());
  out.append(field.data(), size).append(head).append(body);
  return {};
}

FrameError FrameEncoder::check(std::string_view head, std::string_view body,
                               std::uint64_t max_frame) const {
  if (writer_ != nullptr) return writer_->limit(head, body, max_frame);
  const std::size_t size = head.size() + body.size();
  if (size <= max_frame) return {};
  return {FrameFault::too_long, size - static_cast<std::uint64_t>(field_.adjust), max_frame};
}

}  // namespace netkit
