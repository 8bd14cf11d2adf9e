// Length-field framing: cutting a byte stream into frames and putting frames on one.
//
// A codec is described as Netty's LengthFieldBasedFrameDecoder describes it. A frame is
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

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <netkit/codec/byte_buffer.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// What CODEC on the command line says.
struct NETKIT_API CodecSpec {
  // Bytes of the length field: 1, 2, 3, 4 or 8; 0 is a varint (base 128, least significant group
  // first, as protocol buffers have it; at most 10 bytes).
  std::uint8_t width = 4;
  bool little_endian = false;
  // The codec `netkit`: u32, and the content begins with a message id, so that it is never empty.
  bool message_ids = true;
  std::uint32_t offset = 0;            // bytes before the length field, to kMaxOffset
  std::int32_t adjust = 0;             // what is added to the length that the field says
  std::optional<std::uint32_t> strip;  // bytes taken away in front; none: see above

  static constexpr std::uint32_t kMaxOffset = 65536;

  // `netkit`, or `u8|u16|u24|u32|u64[le]` or `varint`, then any of `,offset=N` `,adjust=N`
  // `,strip=N`, each once. Throws UsageError that says what would be right.
  static CodecSpec parse(std::string_view text);
  // The shortest text that parse() takes for it.
  std::string to_string() const;
  bool operator==(const CodecSpec&) const = default;
};

enum class FrameFault : std::uint8_t {
  none,
  too_long,   // what follows the length field is over the limit
  empty,      // netkit: a length of 0
  negative,   // length and adjust make less than nothing
  strip,      // the frame is shorter than what is to be stripped
  varint,     // a varint of more than 64 bits
  width,      // encoding: the length does not fit the field
  too_short,  // encoding: the content lacks room for its length field, or is below adjust
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

// A frame that came. The views are valid until the sink returns.
struct FrameView {
  std::string_view content;  // without what was stripped
  std::uint64_t length = 0;  // as the length field had it
  std::string_view wire;     // the whole frame, as it came
};

// Cuts a byte stream into frames, whatever the pieces it comes in. A frame that lies whole in one
// piece is handed out as a view into it; only one that spans pieces is copied, into a buffer that
// grows with the bytes that came (at most twice their number), whatever length was declared, and
// that is given back after the frame unless it is small. Lengths are checked as soon as the field
// is there. Not thread-safe; nothing throws but std::bad_alloc.
//
// Sink: `void(const FrameView&)`, or `bool(const FrameView&)` where false means "no more for now".
// The sink must not feed or destroy the decoder.
class NETKIT_API FrameDecoder {
 public:
  struct Result {
    std::size_t taken = 0;  // bytes of the input that need not be fed again
    FrameError error;       // the stream cannot be cut any further: the connection is to be closed
  };

  static constexpr std::uint64_t kMaxLimit = std::uint64_t{1} << 40U;

  // `max_frame`: the most bytes that may follow the length field; at most kMaxLimit counts.
  FrameDecoder(const CodecSpec& spec, std::uint64_t max_frame);

  // Calls the sink for every frame that `data` completes. All of `data` is taken, unless the sink
  // returned false (then the caller keeps what follows that frame) or there was an error (frames
  // before it were handed out; every later call returns the same error).
  template <typename Sink>
  Result feed(std::string_view data, Sink&& sink);

  std::size_t pending() const { return partial_.size(); }     // bytes of an unfinished frame
  std::size_t memory() const { return partial_.capacity(); }  // bytes held for it
  // How many bytes the unfinished frame will have, 0 while that is not known.
  std::uint64_t pending_total() const;

 private:
  static constexpr std::size_t kKeptCapacity = 512;
  static constexpr std::uint32_t kStripField = std::numeric_limits<std::uint32_t>::max();

  struct Header {
    std::uint64_t length;
    std::uint64_t total;
    std::uint64_t strip;
  };
  enum class Parsed : std::uint8_t { incomplete, whole, wrong };

  // How frames are laid out. feed() works on a copy, which its sink cannot change, so that it stays
  // in registers.
  struct NETKIT_API Layout {
    std::uint64_t max_frame;
    std::uint64_t min_frame;  // 1 where a frame has a message id
    std::int64_t adjust;
    std::uint32_t offset;
    std::uint32_t strip;  // kStripField: up to the end of the length field
    std::uint8_t width;
    std::uint8_t shift;
    bool little_endian;

    Parsed parse(const char* data, std::size_t size, Header& header) const;
    Parsed parse_varint(const char* data, std::size_t size, Header& header) const;
    Parsed measure(std::uint64_t length, std::size_t field_end, Header& header) const;
  };

  FrameError fault_of(std::string_view head) const;
  void clear_partial();
  Parsed complete_partial(std::string_view data, std::size_t& at, Header& header);
  template <typename Sink>
  static bool deliver(const char* data, const Header& header, Sink& sink);

  std::string partial_;
  Layout layout_;
  FrameError error_;
};

// Puts contents on a byte stream: what a decoder of the same codec hands out again. Where nothing
// is stripped, the content has room for the length field and the encoder writes it there. Stateless
// after construction: any thread.
class NETKIT_API FrameEncoder {
 public:
  // The most bytes that a length field has.
  static constexpr std::size_t kMaxField = 10;

  // Throws UsageError for a codec that strips what an encoder cannot know.
  explicit FrameEncoder(const CodecSpec& spec);

  // Appends one frame whose content is `head` followed by `body`; on an error appends nothing.
  FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const;
  FrameError append(std::string& out, std::string_view head, std::string_view body = {}) const;

  // The fault too_long if a decoder with this limit refuses the frame of a content of `size` bytes.
  FrameError check(std::size_t size, std::uint64_t max_frame) const;

  // Whether a frame is the length field and then the content as it is, so that put_field() does.
  bool prefixes() const { return !in_place_; }
  // Writes the field of a frame in which `rest` bytes follow it to `to`, which has room for
  // kMaxField bytes, all of which may be written to. Returns its size, or 0: error_of() says why.
  std::size_t put_field(char* to, std::uint64_t rest) const;
  FrameError error_of(std::uint64_t rest) const;

 private:
  FrameError append_in_place(ByteBuffer& out, std::string_view head, std::string_view body) const;

  std::uint64_t min_rest_ = 0;    // the least bytes that may follow the field
  std::uint64_t rest_range_ = 0;  // the most, less the least
  std::int64_t adjust_;
  std::uint32_t offset_;
  std::uint8_t width_;
  std::uint8_t shift_;
  bool little_endian_;
  bool in_place_;  // the length field lies in the content
};

// ---- What follows is inline because it runs once a frame. ----

inline FrameDecoder::Parsed FrameDecoder::Layout::measure(std::uint64_t length,
                                                          std::size_t field_end,
                                                          Header& header) const {
  // Beyond this, no adjust (32 bits) brings the length back under a limit (40 bits).
  constexpr std::uint64_t kSane = std::uint64_t{1} << 41U;
  if (length > kSane) return Parsed::wrong;
  // Less than nothing is more than any limit.
  const std::uint64_t rest = length + static_cast<std::uint64_t>(adjust);
  if (rest > max_frame || rest < min_frame) return Parsed::wrong;
  header.length = length;
  header.total = field_end + rest;
  header.strip = field_end;
  if (strip == kStripField) return Parsed::whole;
  header.strip = strip;
  return header.strip > header.total ? Parsed::wrong : Parsed::whole;
}

inline FrameDecoder::Parsed FrameDecoder::Layout::parse(const char* data, std::size_t size,
                                                        Header& header) const {
  static_assert(std::endian::native == std::endian::little);
  if (width == 0) return parse_varint(data, size, header);
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
  return measure(length, field_end, header);
}

template <typename Sink>
[[gnu::always_inline]] inline bool FrameDecoder::deliver(const char* data, const Header& header,
                                                         Sink& sink) {
  const std::string_view wire(data, header.total);
  const std::string_view content(data + header.strip, header.total - header.strip);
  const FrameView frame{content, header.length, wire};
  if constexpr (std::is_void_v<decltype(sink(frame))>) {
    sink(frame);
    return true;
  } else {
    return sink(frame);
  }
}

template <typename Sink>
FrameDecoder::Result FrameDecoder::feed(std::string_view data, Sink&& sink) {
  if (error_) return {0, error_};
  std::size_t at = 0;
  const Layout layout = layout_;
  bool unfinished = !partial_.empty();
  while (unfinished || at < data.size()) {
    Header header;
    const char* frame = data.data() + at;
    if (unfinished) [[unlikely]] {
      const Parsed parsed = complete_partial(data, at, header);
      if (parsed == Parsed::wrong) return {at, error_ = fault_of(partial_)};
      if (parsed == Parsed::incomplete) return {at, {}};
      frame = partial_.data();
    } else {
      const Parsed parsed = layout.parse(frame, data.size() - at, header);
      if (parsed == Parsed::wrong) return {at, error_ = fault_of(data.substr(at))};
      if (parsed == Parsed::incomplete || header.total > data.size() - at) break;
      at += header.total;
    }
    const bool more = deliver(frame, header, sink);
    if (unfinished) [[unlikely]] {
      clear_partial();
      unfinished = false;
    }
    if (!more) return {at, {}};
  }
  partial_.append(data.substr(at));
  return {data.size(), {}};
}

inline std::size_t FrameEncoder::put_field(char* to, std::uint64_t rest) const {
  if (rest - min_rest_ > rest_range_) return 0;  // less than the least is more than any
  std::uint64_t length = rest - static_cast<std::uint64_t>(adjust_);
  if (width_ != 0) {
    length = little_endian_ ? length : __builtin_bswap64(length) >> shift_;
    std::memcpy(to, &length, sizeof length);
    return width_;
  }
  std::size_t size = 0;
  for (; length >= 0x80U; length >>= 7U) to[size++] = static_cast<char>(length | 0x80U);
  to[size++] = static_cast<char>(length);
  return size;
}

inline FrameError FrameEncoder::check(std::size_t size, std::uint64_t max_frame) const {
  const std::size_t in_front = in_place_ ? std::min<std::size_t>(size, offset_ + width_) : 0;
  const std::uint64_t rest = size - in_front;
  if (rest <= max_frame) return {};
  return {FrameFault::too_long, rest - static_cast<std::uint64_t>(adjust_), max_frame};
}

inline FrameError FrameEncoder::append(ByteBuffer& out, std::string_view head,
                                       std::string_view body) const {
  if (in_place_) return append_in_place(out, head, body);
  const std::size_t size = head.size() + body.size();
  char* to = out.reserve(kMaxField + size);
  const std::size_t field = put_field(to, size);
  if (field == 0) return error_of(size);
  std::copy(head.begin(), head.end(), to + field);
  std::copy(body.begin(), body.end(), to + field + head.size());
  out.commit(field + size);
  return {};
}

}  // namespace netkit
