

#include "datagram/wire.hpp"

#include "datagram/dtls_wire.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {
namespace {

using big_endian::append;
using big_endian::get;
using big_endian::put;

constexpr unsigned kFours = 4;
constexpr std::size_t kPrefix = 4;         // magic, version, type, flags
constexpr std::size_t kKeyed = 12;         // and a nonce or session id
constexpr std::size_t kVersionReply = 16;  // and the range

void begin(Type type, std::uint64_t key, std::string& out) {
  out.clear();
  out.push_back(static_cast<char>(kMagic));
  out.push_back(static_cast<char>(kVersion));
  out.push_back(static_cast<char>(type));
  out.push_back(0);
  append(out, key);
}

bool is(std::string_view datagram, Type type, std::size_t size) {
  return datagram.size() >= size && type_of(datagram) == type;
}

template <typename Bytes>
Bytes bytes_at(const char* at) {
  Bytes bytes;
  std::memcpy(bytes.data(), at, bytes.size());
  return bytes;
}

template <typename Bytes>
void append_bytes(std::string& out, const Bytes& bytes) {
  out.append(bytes.data(), bytes.size());
}

std::uint16_t plain_window(std::uint16_t window) {
  return std::min(window, static_cast<std::uint16_t>(kMaxPlainWindow));
}

std::size_t least_size(Type type) {
  switch (type) {
    case Type::hello:
      return kHelloSize;
    case Type::cookie:
      return kKeyed + kCookieSize;
    case Type::connect:
      return kKeyed + kCookieSize + 6;
    case Type::accept:
      return kKeyed + 18 + sizeof(SessionKey);
    case Type::reject:
      return kKeyed + 2;
    case Type::data:
      return kHeaderSize + 1;
    case Type::ack:
      return kHeaderSize;
    case Type::bye:
      return kHeaderSize + 1;
    case Type::reset:
      return kKeyed;
    case Type::version:
      return kVersionReply;
    case Type::challenge:
      return kKeyed + kTokenSize;
    case Type::move:
      return kKeyed + kTokenSize + 4 + sizeof(MoveProof);
  }
  return SIZE_MAX;
}

}  // namespace

Class classify(std::string_view datagram) {
  if (!is_native(datagram)) return Class::foreign;
  if (datagram.size() < kKeyed) return Class::malformed;
  const auto type = type_of(datagram);
  if (type != Type::version && static_cast<std::uint8_t>(datagram[1]) != kVersion) {
    return Class::other_version;
  }
  return datagram.size() < least_size(type) ? Class::malformed : Class::known;
}

std::string_view describe(std::string_view datagram) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "",    "hello", "cookie", "connect", "accept",    "reject", "data",
      "ack", "bye",   "reset",  "version", "challenge", "move"};
  switch (classify(datagram)) {
    case Class::foreign:
      if (is_dtls(datagram)) return datagram[0] == 23 ? "encrypted" : "handshake";
      return "plain";
    case Class::malformed:
      return "malformed";
    case Class::other_version:
      return "other version";
    case Class::known:
      break;
  }
  return kNames[static_cast<std::size_t>(type_of(datagram))];
}

Type type_of(std::string_view datagram) {
  return static_cast<Type>(static_cast<std::uint8_t>(datagram[2]));
}

std::uint64_t key_of(std::string_view datagram) {
  return get<std::uint64_t>(datagram.data() + kPrefix);
}

std::optional<Hello> decode_hello(std::string_view datagram) {
  if (!is(datagram, Type::hello, kHelloSize)) return std::nullopt;
  return Hello{key_of(datagram)};
}

std::optional<CookieReply> decode_cookie(std::string_view datagram) {
  if (!is(datagram, Type::cookie, kKeyed + kCookieSize)) return std::nullopt;
  return CookieReply{key_of(datagram), bytes_at<Cookie>(datagram.data() + kKeyed)};
}

std::optional<Connect> decode_connect(std::string_view datagram) {
  if (!is(datagram, Type::connect, least_size(Type::connect))) return std::nullopt;
  const char* at = datagram.data() + kKeyed;
  Connect connect;
  connect.nonce = key_of(datagram);
  connect.cookie = bytes_at<Cookie>(at);
  connect.first_seq = get<std::uint32_t>(at + 20);
  connect.window = get<std::uint16_t>(at + 24);
  connect.payload = datagram.substr(least_size(Type::connect));
  if (connect.window > kMaxPlainWindow || connect.payload.size() > kMaxPayload) return std::nullopt;
  return connect;
}

std::optional<Accept> decode_accept(std::string_view datagram) {
  if (!is(datagram, Type::accept, least_size(Type::accept))) return std::nullopt;
  const char* at = datagram.data() + kKeyed;
  Accept accept;
  accept.nonce = key_of(datagram);
  accept.session = get<std::uint64_t>(at);
  accept.first_seq = get<std::uint32_t>(at + 8);
  accept.window = get<std::uint16_t>(at + 12);
  accept.lease_ms = get<std::uint32_t>(at + 14);
  accept.key = bytes_at<SessionKey>(at + 18);
  accept.payload = datagram.substr(least_size(Type::accept));
  if (accept.window > kMaxPlainWindow || accept.payload.size() > kMaxPayload) return std::nullopt;
  return accept;
}

std::optional<Reject> decode_reject(std::string_view datagram) {
  if (!is(datagram, Type::reject, least_size(Type::reject))) return std::nullopt;
  Reject reject;
  reject.nonce = key_of(datagram);
  reject.code = get<std::uint16_t>(datagram.data() + kKeyed);
  reject.text = datagram.substr(least_size(Type::reject));
  if (reject.text.size() > kMaxReason) return std::nullopt;
  return reject;
}

std::optional<Reset> decode_reset(std::string_view datagram) {
  if (!is(datagram, Type::reset, kKeyed)) return std::nullopt;
  return Reset{key_of(datagram)};
}

std::optional<Challenge> decode_challenge(std::string_view datagram) {
  if (!is(datagram, Type::challenge, least_size(Type::challenge))) return std::nullopt;
  return Challenge{key_of(datagram), bytes_at<MoveToken>(datagram.data() + kKeyed)};
}

std::optional<Move> decode_move(std::string_view datagram) {
  if (!is(datagram, Type::move, least_size(Type::move))) return std::nullopt;
  const char* at = datagram.data() + kKeyed;
  Move move;
  move.session = key_of(datagram);
  move.token = bytes_at<MoveToken>(at);
  move.count = get<std::uint32_t>(at + kTokenSize);
  move.proof = bytes_at<MoveProof>(at + kTokenSize + 4);
  return move;
}

std::optional<VersionReply> decode_version(std::string_view datagram) {
  if (!is(datagram, Type::version, kVersionReply)) return std::nullopt;
  return VersionReply{key_of(datagram), static_cast<std::uint8_t>(datagram[12]),
                      static_cast<std::uint8_t>(datagram[13])};
}

std::optional<Header> decode_header(std::string_view datagram) {
  if (datagram.size() < kHeaderSize) return std::nullopt;
  Header header;
  header.type = type_of(datagram);
  if (header.type != Type::data && header.type != Type::ack && header.type != Type::bye) {
    return std::nullopt;
  }
  const char* at = datagram.data();
  header.flags = static_cast<std::uint8_t>(at[3]);
  header.session = key_of(datagram);
  header.seq = get<std::uint32_t>(at + 12);
  header.ack = get<std::uint32_t>(at + 16);
  header.window = get<std::uint16_t>(at + 20);
  header.ack_delay = get<std::uint16_t>(at + 22);
  if (header.window > kMaxPlainWindow) return std::nullopt;
  if (header.flags & Header::kWide) {
    header.flags &= static_cast<std::uint8_t>(~Header::kWide);
    header.window = static_cast<std::uint16_t>(header.window * kFours);
  }
  return header;
}

std::optional<EcnCounts> take_ecn_counts(std::string_view& body) {
  if (body.size() < 8) return std::nullopt;
  const EcnCounts counts{get<std::uint32_t>(body.data()), get<std::uint32_t>(body.data() + 4)};
  body.remove_prefix(8);
  return counts;
}

void append_ecn_counts(const EcnCounts& counts, std::string& out) {
  append(out, counts.marked);
  append(out, counts.congested);
}

std::optional<Bye> decode_bye(std::string_view body) {
  if (body.empty() || body.size() > 1 + kMaxReason) return std::nullopt;
  return Bye{static_cast<std::uint8_t>(body[0]), body.substr(1)};
}

void encode(const Hello& hello, std::string& out) {
  begin(Type::hello, hello.nonce, out);
  out.resize(kHelloSize, '\0');
}

void encode(const CookieReply& reply, std::string& out) {
  begin(Type::cookie, reply.nonce, out);
  append_bytes(out, reply.cookie);
}

void encode(const Connect& connect, std::string& out) {
  begin(Type::connect, connect.nonce, out);
  append_bytes(out, connect.cookie);
  append(out, connect.first_seq);
  append(out, plain_window(connect.window));
  out.append(connect.payload.substr(0, kMaxPayload));
}

void encode(const Accept& accept, std::string& out) {
  begin(Type::accept, accept.nonce, out);
  append(out, accept.session);
  append(out, accept.first_seq);
  append(out, plain_window(accept.window));
  append(out, accept.lease_ms);
  append_bytes(out, accept.key);
  out.append(accept.payload.substr(0, kMaxPayload));
}

void encode(const Reject& reject, std::string& out) {
  begin(Type::reject, reject.nonce, out);
  append(out, reject.code);
  out.append(reject.text.substr(0, kMaxReason));
}

void encode(const Reset& reset, std::string& out) {
  begin(Type::reset, reset.session, out);
}

void encode(const Challenge& challenge, std::string& out) {
  begin(Type::challenge, challenge.session, out);
  append_bytes(out, challenge.token);
}

void encode(const Move& move, std::string& out) {
  begin(Type::move, move.session, out);
  append_bytes(out, move.token);
  append(out, move.count);
  append_bytes(out, move.proof);
}

void encode(const VersionReply& reply, std::string& out) {
  begin(Type::version, reply.echo, out);
  out.push_back(static_cast<char>(reply.lowest));
  out.push_back(static_cast<char>(reply.highest));
  out.append(2, '\0');
}

void encode_header(const Header& header, char* out) {
  out[0] = static_cast<char>(kMagic);
  out[1] = static_cast<char>(kVersion);
  out[2] = static_cast<char>(header.type);
  const bool wide = header.window > kMaxPlainWindow;
  out[3] = static_cast<char>(header.flags | (wide ? Header::kWide : 0));
  put(out + 4, header.session);
  put(out + 12, header.seq);
  put(out + 16, header.ack);
  put(out + 20, static_cast<std::uint16_t>(header.window / (wide ? kFours : 1u)));
  put(out + 22, header.ack_delay);
}

}  // namespace netkit::datagram
