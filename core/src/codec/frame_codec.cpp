#include <algorithm>

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
              .shift = static_cast<std::uint8_t>(64U - 8U * spec.width),
              .little_endian = spec.little_endian} {}

std::uint64_t FrameDecoder::pending_total() const {
  Header header;
  if (layout_.parse(partial_.data(), partial_.size(), header) != Parsed::whole) return 0;
  return header.total;
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
    : max_length_(greatest(spec.width)),
      adjust_(spec.adjust),
      offset_(spec.offset),
      width_(spec.width),
      little_endian_(spec.little_endian),
      in_place_(spec.strip ? *spec.strip == 0 : spec.offset != 0),
      refuse_empty_(spec.message_ids) {
  const bool in_front = spec.offset == 0 && (!spec.strip || *spec.strip == spec.width);
  if (spec.width == 0 ? in_front && !(spec.strip && *spec.strip == 0) : in_front || in_place_) {
    return;
  }
  throw UsageError("codec '" + spec.to_string() +
                   "' can decode but not encode: use strip=0 (the content has room for the length "
                   "field), or for a field that comes first no strip" +
                   (spec.width == 0 ? " (a varint must come first)" : ""));
}

// Fills in the length field of a frame with that much content.
FrameError FrameEncoder::make_field(std::size_t content_size, FrameParts& parts) const {
  std::uint64_t rest = content_size;
  if (in_place_) {
    const std::uint64_t field_end = std::uint64_t{offset_} + width_;
    if (rest < field_end) return {FrameFault::too_short, rest, field_end};
    rest -= field_end;
  }
  if (refuse_empty_ && rest == 0) return {FrameFault::empty, 0, 0};
  if (adjust_ > 0 && rest < static_cast<std::uint64_t>(adjust_)) {
    return {FrameFault::too_short, rest, static_cast<std::uint64_t>(adjust_)};
  }
  std::uint64_t length = rest - static_cast<std::uint64_t>(adjust_);
  if (length > max_length_) return {FrameFault::width, length, max_length_};
  if (width_ == 0) {
    parts.field_size = 0;
    for (; length >= 0x80U; length >>= 7U) {
      parts.field_bytes[parts.field_size++] = static_cast<char>(length | 0x80U);
    }
    parts.field_bytes[parts.field_size++] = static_cast<char>(length);
    return {};
  }
  parts.field_size = width_;
  const std::uint64_t ordered =
      little_endian_ ? length : __builtin_bswap64(length) >> (64U - 8U * width_);
  std::memcpy(parts.field_bytes.data(), &ordered, sizeof ordered);
  return {};
}

FrameError FrameEncoder::split(std::string_view content, FrameParts& parts) const {
  const FrameError error = make_field(content.size(), parts);
  if (error) return error;
  parts.before = content.substr(0, in_place_ ? offset_ : 0);
  parts.after = content.substr(in_place_ ? offset_ + width_ : 0);
  return {};
}

FrameError FrameEncoder::append(std::string& out, std::string_view head,
                                std::string_view body) const {
  FrameParts parts;
  const FrameError error = make_field(head.size() + body.size(), parts);
  if (error) return error;
  if (in_place_) {
    const std::size_t begin = out.size();
    out.append(head).append(body);
    out.replace(begin + offset_, width_, parts.field());
    return {};
  }
  // A short head goes with the field: an answer without a body is one append.
  constexpr std::size_t kShort = 6;
  std::array<char, sizeof parts.field_bytes + kShort> front;
  std::memcpy(front.data(), parts.field_bytes.data(), sizeof parts.field_bytes);
  if (head.size() <= kShort) {
    std::copy(head.begin(), head.end(), front.begin() + parts.field_size);
    out.append(front.data(), parts.field_size + head.size());
  } else {
    out.append(parts.field()).append(head);
  }
  if (!body.empty()) out.append(body);
  return {};
}

}  // namespace netkit
