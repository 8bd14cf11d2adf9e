// The datagrams of the native protocol as bytes. Specified in netkit-protocol(7), which a unit test
// holds against this codec. All numbers are big-endian. Pure; any thread. Views point into the
// bytes given.
#pragma once

#include "datagram/ecn.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/datagram/options.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

inline constexpr std::uint8_t kVersion = 2;
inline constexpr std::size_t kHeaderSize = 24;  // of datagrams within a session
inline constexpr std::size_t kHelloSize = 64;   // padded: larger than what answers it
inline constexpr std::size_t kCookieSize = 20;
inline constexpr std::size_t kTokenSize = 12;    // of a CHALLENGE: no longer than what it answers
inline constexpr std::size_t kMaxWindow = 4096;  // datagrams; a bitmap of them takes 512 bytes
inline constexpr std::size_t kMaxPlainWindow = 1024;  // of a field that counts single datagrams

enum class Type : std::uint8_t {
  hello = 1,
  cookie = 2,
  connect = 3,
  accept = 4,
  reject = 5,
  data = 6,
  ack = 7,
  bye = 8,
  reset = 9,
  version = 10,  // bytes 0 to 15 of this one stay as they are in every version
  challenge = 11,
  move = 12,
};

using Cookie = std::array<char, kCookieSize>;
using SessionKey = std::array<char, 16>;
using MoveToken = std::array<char, kTokenSize>;
using MoveProof = std::array<char, 16>;

struct Hello {
  std::uint64_t nonce = 0;
};
struct CookieReply {
  std::uint64_t nonce = 0;
  Cookie cookie{};
};
struct Connect {
  std::uint64_t nonce = 0;
  Cookie cookie{};
  std::uint32_t first_seq = 0;  // of the client's datagrams
  std::uint16_t window = 0;
  std::string_view payload;
};
struct Accept {
  std::uint64_t nonce = 0;
  std::uint64_t session = 0;
  std::uint32_t first_seq = 0;  // of the server's datagrams
  std::uint16_t window = 0;
  std::uint32_t lease_ms = 0;
  SessionKey key{};  // by which the client proves that it has moved
  std::string_view payload;
};
struct Reject {
  std::uint64_t nonce = 0;
  std::uint16_t code = 0;
  std::string_view text;
};
struct Reset {
  std::uint64_t session = 0;
};
// To an address that datagrams of a session have come from that is elsewhere.
struct Challenge {
  std::uint64_t session = 0;
  MoveToken token{};
};
// The client's answer: from here on the session is where this comes from.
struct Move {
  std::uint64_t session = 0;
  MoveToken token{};
  std::uint32_t count = 0;  // one more each time
  MoveProof proof{};        // moving.hpp
};
struct VersionReply {
  std::uint64_t echo = 0;  // bytes 4 to 11 of what it answers: a nonce or a session id
  std::uint8_t lowest = kVersion;
  std::uint8_t highest = kVersion;
};

// Both sides count in 64 bits what has 32 on the wire. They begin one lap up, so that nothing near
// is below zero.
inline constexpr std::uint64_t kLap = std::uint64_t{1} << 32;

// In front of DATA, ACK and BYE.
struct Header {
  static constexpr std::uint8_t kPing = 0x01;  // acknowledge at once
  // The window on the wire counts fours; kept by encode_header() and decode_header().
  static constexpr std::uint8_t kWide = 0x02;
  // DATA: sent as ECT(0). ACK: EcnCounts stand before the bitmap, as the other side's DATA had
  // this.
  static constexpr std::uint8_t kEcn = 0x04;
  Type type = Type::ack;
  std::uint8_t flags = 0;
  std::uint64_t session = 0;
  std::uint32_t seq = 0;        // DATA: its number; else the next one its sender will use
  std::uint32_t ack = 0;        // all before this have arrived
  std::uint16_t window = 0;     // datagrams from `ack` on that would be taken
  std::uint16_t ack_delay = 0;  // 100 us since the newest of what it acknowledges came
};
struct Bye {
  std::uint8_t code = 0;
  std::string_view text;
};

// The first two bytes, type and length are looked at: what a server can say without any state.
enum class Class : std::uint8_t {
  foreign,        // does not begin with kMagic: a plain datagram
  malformed,      // too short or of no known type
  other_version,  // of a version that is not ours (never for Type::version itself)
  known,
};
NETKIT_API Class classify(std::string_view datagram);
NETKIT_API Type type_of(std::string_view datagram);  // of a `known` one
// For people: `hello`, `data`, …; `plain` for what does not begin with kMagic, `malformed`, `other
// version`.
NETKIT_API std::string_view describe(std::string_view datagram);
// Bytes 4 to 11 (nonce or session id) of a datagram of at least 12 bytes.
NETKIT_API std::uint64_t key_of(std::string_view datagram);

// Each takes a whole datagram of class `known` and gives nothing when it is not of that type, too
// short, or holds a value out of its range.
NETKIT_API std::optional<Hello> decode_hello(std::string_view datagram);
NETKIT_API std::optional<CookieReply> decode_cookie(std::string_view datagram);
NETKIT_API std::optional<Connect> decode_connect(std::string_view datagram);
NETKIT_API std::optional<Accept> decode_accept(std::string_view datagram);
NETKIT_API std::optional<Reject> decode_reject(std::string_view datagram);
NETKIT_API std::optional<Reset> decode_reset(std::string_view datagram);
NETKIT_API std::optional<Challenge> decode_challenge(std::string_view datagram);
NETKIT_API std::optional<Move> decode_move(std::string_view datagram);
NETKIT_API std::optional<VersionReply> decode_version(std::string_view datagram);
NETKIT_API std::optional<Header> decode_header(std::string_view datagram);  // data, ack, bye
// What follows the header of a BYE.
NETKIT_API std::optional<Bye> decode_bye(std::string_view body);

// Each replaces `out`. Texts and payloads over their limit are cut.
NETKIT_API void encode(const Hello& hello, std::string& out);
NETKIT_API void encode(const CookieReply& reply, std::string& out);
NETKIT_API void encode(const Connect& connect, std::string& out);
NETKIT_API void encode(const Accept& accept, std::string& out);
NETKIT_API void encode(const Reject& reject, std::string& out);
NETKIT_API void encode(const Reset& reset, std::string& out);
NETKIT_API void encode(const Challenge& challenge, std::string& out);
NETKIT_API void encode(const Move& move, std::string& out);
NETKIT_API void encode(const VersionReply& reply, std::string& out);
// Takes them from the begin of an ACK's body; nothing where it is too short.
NETKIT_API std::optional<EcnCounts> take_ecn_counts(std::string_view& body);
NETKIT_API void append_ecn_counts(const EcnCounts& counts, std::string& out);
// Writes kHeaderSize bytes.
NETKIT_API void encode_header(const Header& header, char* out);

}  // namespace netkit::datagram
