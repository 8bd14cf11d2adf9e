// CODEC, the grammar in which users describe how frames are delimited and checked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netkit/codec/check.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// What determines where a frame ends.
enum class CutBy : std::uint8_t {
  length,     // a length field: u8 to u64, varint, digits
  line,       // LF; a CR before it is removed
  delimiter,  // delim=HEX, crlf
  marks,      // start=HEX,end=HEX[,escape=HEX]
  slip,       // RFC 1055
  cobs,       // consistent overhead byte stuffing, with a zero byte after each frame
  hdlc,       // byte stuffing of RFC 1662
  fixed,      // fixed=N
  idle,       // idle=D
};

// What a protocol has that one line of the grammar cannot express.
enum class Dialect : std::uint8_t {
  none,
  postgres,  // a frame that begins with a zero byte has no type in front of its length
  nmea,      // two kinds of start, `$` and `!`; the check is in hexadecimal after a `*`
  gt06,      // two kinds of start, with lengths of their own, and an end mark
  jt808,     // other escapes: 7d 02 is 7e, 7d 01 is 7d
};

// Whether the user of a codec passes the time to the decoder, as framing by silence needs.
enum class Timing : std::uint8_t { untimed, timed };

// A CODEC of the command line.
struct NETKIT_API CodecSpec {
  CutBy by = CutBy::length;
  Dialect dialect = Dialect::none;
  std::string name;  // the name that it was given by, if any: see codec_names()

  // ---- by length ----
  // Bytes of the length field: 1, 2, 3, 4 or 8; 0 is a varint (base 128, least significant group
  // first, as protocol buffers have it; at most 10 bytes) or a decimal number.
  std::uint8_t width = 4;
  std::uint8_t digits = 0;  // of a decimal number in ASCII; 0: the field is not decimal
  bool little_endian = false;
  // The codec `netkit`: u32, and the content begins with a message id, so that it is never empty.
  bool message_ids = true;
  std::uint32_t offset = 0;            // bytes before the length field, to kMaxOffset
  std::int32_t adjust = 0;             // added to the length in the field
  std::optional<std::uint32_t> strip;  // bytes removed from the front; none: see LengthLayout

  // ---- by marks, 1 to kMaxMark bytes ----
  std::string start;
  std::string end;
  std::optional<std::uint8_t> escape;  // the byte after it is XORed with 0x20

  std::uint32_t size = 0;  // fixed: of a whole frame
  Duration idle{};         // the silence that ends a frame

  std::shared_ptr<const Check> check;  // the last thing of a frame, if any

  static constexpr std::uint32_t kMaxOffset = 65536;
  static constexpr std::uint32_t kMaxFixed = 1U << 30U;
  static constexpr std::uint8_t kMaxDigits = 18;
  static constexpr std::size_t kMaxMark = 16;

  // A name of codec_names(); or a cut, then its settings and `,check=…`, each once, in any order
  // (netkit-frame(1) has the grammar). Throws UsageError that says what would be right, also for a
  // codec that is cut by silence unless `timing` is timed.
  static CodecSpec parse(std::string_view text, Timing timing = Timing::untimed);
  // The same frames with one in each datagram, which delimits it: marks, stuffing, sizes and a
  // length field before the body are left out, and the check is kept, as are a length field that
  // is part of the body, and all of nmea, gt06 and jt808, as their peers send it. For encoding, and
  // for decoding by feed() and finish() on each datagram.
  CodecSpec in_datagrams() const;
  // The shortest text from which parse() makes the same codec.
  std::string to_string() const;
  bool operator==(const CodecSpec& other) const { return to_string() == other.to_string(); }
};

// One of the protocols whose codecs have names. Help, completion and netkit-frame(1) read the
// table.
struct NamedCodec {
  std::string_view name;
  std::string_view protocol;  // the protocol, for people
  std::string_view codec;     // the line of the grammar that it stands for
  std::string_view more;      // what that line cannot express, for people; usually empty
  std::string_view body;      // which part of a frame is the body, for people
  Dialect dialect = Dialect::none;
};

// `netkit` first, then the others by their names. Any thread.
NETKIT_API std::span<const NamedCodec> codec_names();

}  // namespace netkit
