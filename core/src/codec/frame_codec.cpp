#include <algorithm>
#include <array>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

namespace {

constexpr unsigned kVarintGroups = 10;  // 7 bits each, the last one 1

// The greatest number that `width` bytes hold; 0 is a varint.
std::uint64_t greatest(std::uint8_t width) {
  if (width == 0 || width == 8) return std::numeric_limits<std::uint64_t>::max();
  return (std::uint64_t{1} << (8U * width)) - 1;
}

// How far a field that was read, or is to be written, as 64 bits is shifted.
std::uint8_t shift_of(std::uint8_t width) {
  return static_cast<std::uint8_t>(width == 0 ? 0U : 64U - 8U * width);
}

}  // namespace

std::string FrameError::text() const {
  const std::string declared = std::to_string(length);
  const std::string other = std::to_string(limit);
  switch (fault) {
    case FrameFault::none:
      return "no error";
    case FrameFault::too_long:
      return "a frame of length " + declared + " is over the limit of " + other +
             " bytes (--max-frame)";
    case FrameFault::empty:
      return "a frame of length 0 has no message id";
    case FrameFault::negative:
      return "a frame of length " + declared + " is less than the codec's adjust of -" + other +
             " takes away";
    case FrameFault::strip:
      return "a frame of length " + declared + " is shorter than the " + other +
             " bytes that the codec strips";
    case FrameFault::varint:
      return "a length of more than 64 bits is no varint";
    case FrameFault::width:
      return "a length of " + declared + " does not fit the codec's length field, whose greatest " +
             "is " + other;
    case FrameFault::too_short:
      return "a content of " + declared + " bytes is shorter than the " + other +
             " that the codec needs";
  }
  return "unknown error";
}

FrameDecoder::FrameDecoder(const CodecSpec& spec, std::uint64_t max_frame)
    : layout_{.max_frame = std::min(max_frame, kMaxLimit),
              .min_frame = spec.message_ids ? 1U : 0U,
              .adjust = spec.adjust,
              .offset = spec.offset,
              .strip = spec.strip.value_or(spec.offset == 0 ? kStripField : 0),
              .width = spec.width,
              .shift = shift_of(spec.width),
              .little_endian = spec.little_endian} {}

std::uint64_t FrameDecoder::pending_total() const {
  Header header;
  if (layout_.parse(partial_.data(), partial_.size(), header) != Parsed::whole) return 0;
  return header.total;
}

// Goes on with the unfinished frame: `whole` if partial_ has all of it now.
FrameDecoder::Parsed FrameDecoder::complete_partial(std::string_view data, std::size_t& at,
                                                    Header& header) {
  Parsed parsed = layout_.parse(partial_.data(), partial_.size(), header);
  while (parsed == Parsed::incomplete && at < data.size()) {
    partial_.push_back(data[at++]);
    parsed = layout_.parse(partial_.data(), partial_.size(), header);
  }
  if (parsed != Parsed::whole) return parsed;
  const std::string_view piece = data.substr(at, header.total - partial_.size());
  partial_.append(piece);
  at += piece.size();
  return partial_.size() < header.total ? Parsed::incomplete : Parsed::whole;
}

FrameDecoder::Parsed FrameDecoder::Layout::parse_varint(const char* data, std::size_t size,
                                                        Header& header) const {
  std::uint64_t length = 0;
  for (unsigned group = 0; group < kVarintGroups; ++group) {
    const std::size_t at = std::size_t{offset} + group;
    if (at >= size) return Parsed::incomplete;
    const auto byte = static_cast<std::uint8_t>(data[at]);
    if (group == kVarintGroups - 1 && byte > 1) return Parsed::wrong;
    length |= std::uint64_t{byte & 0x7FU} << (7U * group);
    if (byte < 0x80U) return measure(length, at + 1, header);
  }
  return Parsed::wrong;
}

// Says what parse() found wrong. Apart from it, so that good frames do not pay for the reasons.
FrameError FrameDecoder::fault_of(std::string_view head) const {
  std::uint64_t length = 0;
  std::uint64_t field_end = std::uint64_t{layout_.offset} + layout_.width;
  if (layout_.width == 0) {
    unsigned group = 0;
    std::uint8_t byte = 0x80;
    for (; byte >= 0x80U; ++group) {
      byte = static_cast<std::uint8_t>(head[layout_.offset + group]);
      if (group == kVarintGroups - 1 && byte > 1) return {FrameFault::varint, 0, 0};
      length |= std::uint64_t{byte & 0x7FU} << (7U * group);
    }
    field_end = layout_.offset + group;
  } else {
    for (unsigned i = 0; i < layout_.width; ++i) {
      const auto byte = static_cast<std::uint8_t>(head[layout_.offset + i]);
      length |= std::uint64_t{byte} << (8U * (layout_.little_endian ? i : layout_.width - 1U - i));
    }
  }
  if (layout_.adjust < 0 && length < static_cast<std::uint64_t>(-layout_.adjust)) {
    return {FrameFault::negative, length, static_cast<std::uint64_t>(-layout_.adjust)};
  }
  // Cannot wrap: a length near 2^64 is too long whatever is added to it.
  const bool huge = length > kMaxLimit * 2;
  const std::uint64_t rest = huge ? length : length + static_cast<std::uint64_t>(layout_.adjust);
  if (rest > layout_.max_frame) return {FrameFault::too_long, length, layout_.max_frame};
  if (rest < layout_.min_frame) return {FrameFault::empty, length, 0};
  return {FrameFault::strip, field_end + rest, layout_.strip};
}

void FrameDecoder::clear_partial() {
  if (partial_.capacity() > kKeptCapacity) {
    std::string().swap(partial_);
  } else {
    partial_.clear();
  }
}

FrameEncoder::FrameEncoder(const CodecSpec& spec)
    : adjust_(spec.adjust),
      offset_(spec.offset),
      width_(spec.width),
      shift_(shift_of(spec.width)),
      little_endian_(spec.little_endian),
      in_place_(spec.strip ? *spec.strip == 0 : spec.offset != 0) {
  const bool in_front = spec.offset == 0 && (!spec.strip || *spec.strip == spec.width);
  const bool possible =
      spec.width == 0 ? in_front && !(spec.strip && *spec.strip == 0) : in_front || in_place_;
  if (!possible) {
    throw UsageError("codec '" + spec.to_string() +
                     "' can decode but not encode: use strip=0 (the content has room for the "
                     "length field), or for a field that comes first no strip" +
                     (spec.width == 0 ? " (a varint must come first)" : ""));
  }
  const std::uint64_t greatest_length = greatest(width_);
  if (adjust_ > 0) {
    min_rest_ = static_cast<std::uint64_t>(adjust_);
    rest_range_ = greatest_length;
    return;
  }
  const auto added = static_cast<std::uint64_t>(-adjust_);
  min_rest_ = spec.message_ids ? 1 : 0;
  rest_range_ = greatest_length - added - min_rest_;
  if (greatest_length >= added + min_rest_) return;
  min_rest_ = std::numeric_limits<std::uint64_t>::max();  // the field can say no length
  rest_range_ = 0;
}

// Says what put_field() found wrong. Apart from it, so that good frames do not pay for the reasons.
FrameError FrameEncoder::error_of(std::uint64_t rest) const {
  if (rest == 0 && adjust_ == 0) return {FrameFault::empty, 0, 0};
  if (adjust_ > 0 && rest < min_rest_) return {FrameFault::too_short, rest, min_rest_};
  return {FrameFault::width, rest - static_cast<std::uint64_t>(adjust_), greatest(width_)};
}

FrameError FrameEncoder::append_in_place(ByteBuffer& out, std::string_view head,
                                         std::string_view body) const {
  const std::size_t size = head.size() + body.size();
  const std::size_t field_end = std::size_t{offset_} + width_;
  if (size < field_end) return {FrameFault::too_short, size, field_end};
  std::array<char, kMaxField> field;
  if (put_field(field.data(), size - field_end) == 0) return error_of(size - field_end);
  char* to = out.reserve(size);
  std::copy(head.begin(), head.end(), to);
  std::copy(body.begin(), body.end(), to + head.size());
  std::memcpy(to + offset_, field.data(), width_);
  out.commit(size);
  return {};
}

FrameError FrameEncoder::append(std::string& out, std::string_view head,
                                std::string_view body) const {
  if (in_place_) {
    ByteBuffer frame;
    const FrameError error = append_in_place(frame, head, body);
    out.append(frame.view());
    return error;
  }
  std::array<char, kMaxField> field;
  const std::size_t size = put_field(field.data(), head.size() + body.size());
  if (size == 0) return error_of(head.size() + body.size());
  out.append(field.data(), size).append(head).append(body);
  return {};
}

}  // namespace netkit
