#include <algorithm>

#include <netkit/codec/length_layout.hpp>

namespace netkit {

namespace {

constexpr unsigned kVarintGroups = 10;  // 7 bits each, the last one 1

// The greatest number that a length field holds.
std::uint64_t greatest(std::uint8_t width, std::uint8_t digits) {
  if (digits != 0) {
    std::uint64_t number = 1;
    for (unsigned i = 0; i < digits; ++i) number *= 10;
    return number - 1;
  }
  if (width == 0 || width == 8) return std::numeric_limits<std::uint64_t>::max();
  return (std::uint64_t{1} << (8U * width)) - 1;
}

// How far a field that was read, or is to be written, as 64 bits is shifted.
std::uint8_t shift_of(std::uint8_t width) {
  return static_cast<std::uint8_t>(width == 0 ? 0U : 64U - 8U * width);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

LengthLayout::LengthLayout(const CodecSpec& spec, std::uint64_t limit)
    : max_frame(std::min(limit, kMaxLimit)),
      min_frame(spec.message_ids ? 1U : 0U),
      adjust(spec.adjust),
      offset(spec.offset),
      strip(spec.strip.value_or(spec.offset == 0 ? kStripField : 0)),
      width(spec.width),
      shift(shift_of(spec.width)),
      digits(spec.digits),
      little_endian(spec.little_endian) {}

LengthLayout::Parsed LengthLayout::parse_varint(const char* data, std::size_t size,
                                                FrameHead& head) const {
  std::uint64_t length = 0;
  for (unsigned group = 0; group < kVarintGroups; ++group) {
    const std::size_t at = std::size_t{offset} + group;
    if (at >= size) return Parsed::incomplete;
    const auto byte = static_cast<std::uint8_t>(data[at]);
    if (group == kVarintGroups - 1 && byte > 1) return Parsed::wrong;
    length |= std::uint64_t{byte & 0x7FU} << (7U * group);
    if (byte < 0x80U) return measure(length, at + 1, head);
  }
  return Parsed::wrong;
}

LengthLayout::Parsed LengthLayout::parse_digits(const char* data, std::size_t size,
                                                FrameHead& head) const {
  const std::size_t field_end = std::size_t{offset} + digits;
  std::uint64_t length = 0;
  for (std::size_t at = offset; at < field_end; ++at) {
    if (at >= size) return Parsed::incomplete;
    if (!is_digit(data[at])) return Parsed::wrong;
    length = length * 10 + static_cast<std::uint64_t>(data[at] - '0');
  }
  return measure(length, field_end, head);
}

FrameError LengthLayout::fault_of(std::string_view head) const {
  std::uint64_t length = 0;
  std::uint64_t field_end = std::uint64_t{offset} + width + digits;
  if (digits != 0) {
    for (std::size_t at = offset; at < field_end; ++at) {
      if (!is_digit(head[at])) return {FrameFault::digits, 0, digits};
      length = length * 10 + static_cast<std::uint64_t>(head[at] - '0');
    }
  } else if (width == 0) {
    unsigned group = 0;
    std::uint8_t byte = 0x80;
    for (; byte >= 0x80U; ++group) {
      byte = static_cast<std::uint8_t>(head[offset + group]);
      if (group == kVarintGroups - 1 && byte > 1) return {FrameFault::varint, 0, 0};
      length |= std::uint64_t{byte & 0x7FU} << (7U * group);
    }
    field_end = offset + group;
  } else {
    for (unsigned i = 0; i < width; ++i) {
      const auto byte = static_cast<std::uint8_t>(head[offset + i]);
      length |= std::uint64_t{byte} << (8U * (little_endian ? i : width - 1U - i));
    }
  }
  if (adjust < 0 && length < static_cast<std::uint64_t>(-adjust)) {
    return {FrameFault::negative, length, static_cast<std::uint64_t>(-adjust)};
  }
  // Cannot wrap: a length near 2^64 is too long whatever is added to it.
  const bool huge = length > kMaxLimit * 2;
  const std::uint64_t rest = huge ? length : length + static_cast<std::uint64_t>(adjust);
  if (rest > max_frame) return {FrameFault::too_long, length, max_frame};
  if (rest < min_frame) return {FrameFault::empty, length, 0};
  return {FrameFault::strip, field_end + rest, strip};
}

LengthField::LengthField(const CodecSpec& spec)
    : adjust(spec.adjust),
      width(spec.width),
      shift(shift_of(spec.width)),
      digits(spec.digits),
      little_endian(spec.little_endian) {
  const std::uint64_t greatest_length = greatest(width, digits);
  if (adjust > 0) {
    min_rest = static_cast<std::uint64_t>(adjust);
    rest_range = greatest_length;
    return;
  }
  const auto added = static_cast<std::uint64_t>(-adjust);
  min_rest = spec.message_ids ? 1 : 0;
  rest_range = greatest_length - added - min_rest;
  if (greatest_length >= added + min_rest) return;
  min_rest = std::numeric_limits<std::uint64_t>::max();  // the field can say no length
  rest_range = 0;
}

std::size_t LengthField::put_digits(char* to, std::uint64_t length) const {
  for (std::size_t i = digits; i-- > 0; length /= 10) {
    to[i] = static_cast<char>('0' + length % 10);
  }
  return digits;
}

// Says what put() found wrong. Apart from it, so that good frames do not pay for the reasons.
FrameError LengthField::error_of(std::uint64_t rest) const {
  if (rest == 0 && adjust == 0) return {FrameFault::empty, 0, 0};
  if (adjust > 0 && rest < min_rest) return {FrameFault::too_short, rest, min_rest};
  return {FrameFault::width, rest - static_cast<std::uint64_t>(adjust), greatest(width, digits)};
}

}  // namespace netkit
