// Where a length field lies and what it says: cutting by lengths, as Netty's
// LengthFieldBasedFrameDecoder describes it. A frame is
//
//     | offset bytes | length field | length + adjust bytes |
//
// where `length` is what the field says. Of the whole, the first `strip` bytes are taken away and
// the rest is the frame's content. Byte order is big-endian unless the field ends in `le`.
// Two things are netkit's own. Without `strip`, a field that comes first is stripped and otherwise
// nothing is, where Netty strips nothing: a frame that is only a length and a content is put
// together from the content and gives it back, as the codec `netkit` does; bytes before the field
// mean something, and nobody else would keep them. And the limit (--max-frame) counts what follows
// the field.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include <netkit/codec/codec_spec.hpp>
#include <netkit/codec/frame_error.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// The measures of one frame.
struct FrameHead {
  std::uint64_t length;  // the value of the field
  std::uint64_t total;   // bytes of the whole frame
  std::uint64_t strip;   // of them, before the content
};

// A plain value, which a hot loop copies so that it stays in registers.
struct NETKIT_API LengthLayout {
  static constexpr std::uint32_t kStripField = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t kMaxLimit = std::uint64_t{1} << 40U;
  enum class Parsed : std::uint8_t { incomplete, whole, wrong };

  std::uint64_t max_frame = 0;
  std::uint64_t min_frame = 0;  // 1 where a frame has a message id
  std::int64_t adjust = 0;
  std::uint32_t offset = 0;
  std::uint32_t strip = 0;  // kStripField: up to the end of the length field
  std::uint8_t width = 0;   // 0: a varint or digits
  std::uint8_t shift = 0;   // of a field that was read as 64 bits
  std::uint8_t digits = 0;
  bool little_endian = false;

  LengthLayout() = default;
  // Of a codec by length. A `limit` above kMaxLimit counts as kMaxLimit.
  LengthLayout(const CodecSpec& spec, std::uint64_t limit);

  // Reads the head of a frame that begins at `data`; `head` is filled in if it is whole, which is
  // when the field is there, not when all of the frame is.
  Parsed parse(const char* data, std::size_t size, FrameHead& head) const;
  // The same for a field of `width` bytes, the common case: everything stays in the caller's
  // registers.
  Parsed parse_fixed(const char* data, std::size_t size, FrameHead& head) const;
  // Says what parse() found wrong; separate from it, so that good frames do not pay for the
  // reasons.
  FrameError fault_of(std::string_view head) const;

 private:
  Parsed parse_varint(const char* data, std::size_t size, FrameHead& head) const;
  Parsed parse_digits(const char* data, std::size_t size, FrameHead& head) const;
  Parsed measure(std::uint64_t length, std::size_t field_end, FrameHead& head) const;
};

// The same field on its way out.
struct NETKIT_API LengthField {
  // The most bytes that a length field has.
  static constexpr std::size_t kMaxSize = CodecSpec::kMaxDigits;

  std::uint64_t min_rest = 0;    // the least bytes that may follow the field
  std::uint64_t rest_range = 0;  // the most, less the least
  std::int64_t adjust = 0;
  std::uint8_t width = 0;
  std::uint8_t shift = 0;
  std::uint8_t digits = 0;
  bool little_endian = false;

  LengthField() = default;
  explicit LengthField(const CodecSpec& spec);

  // Writes the field of a frame in which `rest` bytes follow it to `to`, which has room for
  // kMaxSize bytes, all of which may be written to. Returns its size, or 0: error_of() says why.
  std::size_t put(char* to, std::uint64_t rest) const;
  FrameError error_of(std::uint64_t rest) const;

 private:
  std::size_t put_digits(char* to, std::uint64_t length) const;
};

// ---- What follows is inline because it runs once a frame: where many files are compiled as one,
// the compiler would not do so by itself. ----

[[gnu::always_inline]] inline LengthLayout::Parsed LengthLayout::measure(std::uint64_t length,
                                                                         std::size_t field_end,
                                                                         FrameHead& head) const {
  // Beyond this, no adjust (32 bits) brings the length back under a limit (40 bits).
  constexpr std::uint64_t kSane = std::uint64_t{1} << 41U;
  if (length > kSane) return Parsed::wrong;
  // A negative value wraps around, to more than any limit.
  const std::uint64_t rest = length + static_cast<std::uint64_t>(adjust);
  if (rest > max_frame || rest < min_frame) return Parsed::wrong;
  head.length = length;
  head.total = field_end + rest;
  head.strip = field_end;
  if (strip == kStripField) return Parsed::whole;
  head.strip = strip;
  return head.strip > head.total ? Parsed::wrong : Parsed::whole;
}

inline LengthLayout::Parsed LengthLayout::parse(const char* data, std::size_t size,
                                                FrameHead& head) const {
  if (width != 0) return parse_fixed(data, size, head);
  return digits == 0 ? parse_varint(data, size, head) : parse_digits(data, size, head);
}

[[gnu::always_inline]] inline LengthLayout::Parsed LengthLayout::parse_fixed(
    const char* data, std::size_t size, FrameHead& head) const {
  static_assert(std::endian::native == std::endian::little);
  const std::size_t field_end = std::size_t{offset} + width;
  if (size < field_end) return Parsed::incomplete;
  std::uint64_t raw = 0;
  if (size >= offset + sizeof raw) {
    std::memcpy(&raw, data + offset, sizeof raw);
  } else {
    std::memcpy(&raw, data + offset, width);
  }
  const std::uint64_t length =
      little_endian ? (raw << shift) >> shift : __builtin_bswap64(raw) >> shift;
  return measure(length, field_end, head);
}

[[gnu::always_inline]] inline std::size_t LengthField::put(char* to, std::uint64_t rest) const {
  if (rest - min_rest > rest_range) return 0;  // below the least it wraps around
  std::uint64_t length = rest - static_cast<std::uint64_t>(adjust);
  if (width != 0) {
    length = little_endian ? length : __builtin_bswap64(length) >> shift;
    std::memcpy(to, &length, sizeof length);
    return width;
  }
  if (digits != 0) return put_digits(to, length);
  std::size_t size = 0;
  for (; length >= 0x80U; length >>= 7U) to[size++] = static_cast<char>(length | 0x80U);
  to[size++] = static_cast<char>(length);
  return size;
}

}  // namespace netkit
