// What a DATA body holds. Byte 0: the kind in the upper half, flags in the lower. Then
//   bundle  [number of the first message, 8 bytes, if kNumbered] entries: length, bytes
//   gap     from, to (8 bytes each, 0: none), count of messages without number (4 bytes)
//   end     code (1 byte), text to the end
// A length is one byte below 128, or two with the top bit set.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <netkit/datagram/chunk.hpp>
#include <netkit/datagram/options.hpp>

namespace netkit::datagram {

enum class BodyKind : std::uint8_t { bundle = 0, gap = 1, end = 2 };
inline constexpr std::uint8_t kNumbered = 0x01;
inline constexpr std::uint8_t kContinues = 0x02;
inline constexpr std::uint8_t kOpen = 0x04;
inline constexpr std::size_t kMaxLength = 0x7fff;

struct Bundle {
  std::uint64_t first_record = 0;  // 0: not numbered
  bool continues = false;
  bool open = false;
  std::string_view entries;
};

inline BodyKind kind_of(std::string_view body) {
  return static_cast<BodyKind>(static_cast<std::uint8_t>(body[0]) >> 4);
}

// Takes one entry off the front; false at the end, or when the length does not fit.
NETKIT_API bool next_entry(std::string_view& entries, std::string_view& entry);

// False for what is not a body of this version: an unknown kind or flag, a length beyond the end,
// no entry at all, number 0.
NETKIT_API bool is_valid_body(std::string_view body);
// Of a valid body of that kind.
Bundle read_bundle(std::string_view body);
Gap read_gap(std::string_view body);
Bye read_end(std::string_view body);

NETKIT_API ChunkRef make_gap(const Gap& gap);
NETKIT_API ChunkRef make_end(std::uint8_t code, std::string_view text);

}  // namespace netkit::datagram
