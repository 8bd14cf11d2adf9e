// The check at the end of a frame: a sum or a CRC, the bytes that it covers, and its byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/crc.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// The result of a check.
enum class CheckResult : std::uint8_t { none, ok, bad };  // none: the frame has no check

// `ok`, `bad`, or nothing for none.
NETKIT_API std::string_view to_text(CheckResult result);

// Immutable, so that all users of a codec share it; any thread.
//
// The frame it covers includes the start mark and the length field, but neither stuffing nor the
// end mark; the check is its last part.
class NETKIT_API Check {
 public:
  // `NAME[:le][@FROM..TO]`. NAME is sum8, xor8, lrc (two's complement of the sum), a CRC of the
  // catalogue, or `crc:WIDTH:POLY:INIT:REFIN:REFOUT:XOROUT`, numbers but WIDTH in hexadecimal,
  // REFIN and REFOUT true or false. The bytes FROM up to but not including TO of the frame are
  // covered, negative ones counted from its end, the check included; FROM or TO may be left out for
  // its first byte and for where the check is. Without a range it covers what precedes it from the
  // first byte of the body on. Throws UsageError that says what would be right.
  static std::shared_ptr<const Check> parse(std::string_view text);
  // What parse() took.
  const std::string& text() const { return text_; }

  // Its size at the end of a frame in bytes.
  std::size_t size() const { return size_; }

  // Writes the check of `before`, the frame without it, to `to`, which has room for size() bytes.
  // `body`: where in it the body begins.
  void put(char* to, std::string_view before, std::size_t body) const;
  // Whether the check at the end of `frame` is that of what precedes it; not if it is too short to
  // have one.
  bool holds(std::string_view frame, std::size_t body) const;

 private:
  enum class Sum : std::uint8_t { sum, exclusive_or, crc };

  Check() = default;
  std::string_view take_range(std::string_view text);
  void take_name(std::string_view name);
  std::string_view covered(std::string_view before, std::size_t body) const;
  std::uint64_t value(std::string_view bytes) const;

  std::string text_;
  std::optional<Crc> crc_;
  std::optional<std::int64_t> from_;
  std::optional<std::int64_t> to_;
  std::size_t size_ = 1;
  Sum sum_ = Sum::sum;
  bool negated_ = false;  // lrc
  bool little_endian_ = false;
  bool from_body_ = true;
};

// All names that parse() knows, without aliases; for completion and help.
NETKIT_API std::vector<std::string_view> check_names();

}  // namespace netkit
