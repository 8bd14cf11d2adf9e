#include "datagram/dtls_wire.hpp"

#include <cstring>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {
namespace {

using big_endian::append;
using big_endian::get;

constexpr std::uint8_t kMajor = 0xFE;         // of all versions of DTLS
constexpr std::uint16_t kVersion10 = 0xFEFF;  // what a HelloVerifyRequest has (RFC 6347, 4.2.1)
constexpr std::size_t kMessageHeader = 12;    // type, length, sequence, offset, length
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kHelloVerifyRequest = 3;
constexpr std::uint8_t kFatal = 2;

std::uint32_t get24(const char* at) {
  return (std::uint32_t{get<std::uint16_t>(at)} << 8) | static_cast<std::uint8_t>(at[2]);
}

void append24(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 16));
  append(out, static_cast<std::uint16_t>(value & 0xFFFF));
}

void append_header(std::string& out, RecordType type, std::uint64_t number, std::size_t size) {
  out.push_back(static_cast<char>(type));
  append(out, kVersion10);
  append(out, number & 0xFFFFFFFFFFFFu);  // epoch 0
  append(out, static_cast<std::uint16_t>(size));
}

}  // namespace

bool is_dtls(std::string_view datagram) {
  if (datagram.size() < kRecordHeader) return false;
  const auto type = static_cast<std::uint8_t>(datagram[0]);
  const auto minor = static_cast<std::uint8_t>(datagram[2]);
  return type >= 20 && type <= 23 && static_cast<std::uint8_t>(datagram[1]) == kMajor &&
         (minor == 0xFF || minor == 0xFD);
}

std::optional<DtlsRecord> take_record(std::string_view& datagram) {
  if (!is_dtls(datagram)) return std::nullopt;
  const std::size_t size = kRecordHeader + get<std::uint16_t>(datagram.data() + 11);
  if (size > datagram.size()) return std::nullopt;
  DtlsRecord record;
  record.type = static_cast<RecordType>(datagram[0]);
  record.epoch = get<std::uint16_t>(datagram.data() + 3);
  record.number = get<std::uint64_t>(datagram.data() + 3) & 0xFFFFFFFFFFFFu;
  record.whole = datagram.substr(0, size);
  datagram.remove_prefix(size);
  return record;
}

std::optional<ClientHello> decode_client_hello(std::string_view datagram) {
  const auto record = take_record(datagram);
  if (!record || record->type != RecordType::handshake || record->epoch != 0) return std::nullopt;
  std::string_view body = record->fragment();
  if (body.size() < kMessageHeader || body[0] != kClientHello) return std::nullopt;
  const std::uint32_t size = get24(body.data() + 1);
  const bool whole = get24(body.data() + 6) == 0 && get24(body.data() + 9) == size;
  body.remove_prefix(kMessageHeader);
  constexpr std::size_t kFixed = 2 + 32;  // version and random
  if (!whole || size > body.size() || size < kFixed + 2) return std::nullopt;
  body = body.substr(0, size);
  ClientHello hello;
  hello.record = record->number;
  std::memcpy(hello.random.data(), body.data() + 2, hello.random.size());
  body.remove_prefix(kFixed);
  const std::size_t id = static_cast<std::uint8_t>(body[0]);
  if (body.size() < 1 + id + 1) return std::nullopt;
  body.remove_prefix(1 + id);
  const std::size_t cookie = static_cast<std::uint8_t>(body[0]);
  if (body.size() < 1 + cookie) return std::nullopt;
  hello.cookie = body.substr(1, cookie);
  return hello;
}

std::optional<std::string_view> decode_hello_verify(std::string_view datagram) {
  const auto record = take_record(datagram);
  if (!record || record->type != RecordType::handshake || record->epoch != 0) return std::nullopt;
  const std::string_view body = record->fragment();
  constexpr std::size_t kCookieAt = kMessageHeader + 3;  // behind the version and its length
  if (body.size() < kCookieAt || body[0] != kHelloVerifyRequest) return std::nullopt;
  return body.substr(kCookieAt);
}

std::optional<std::uint8_t> decode_alert(const DtlsRecord& record) {
  if (record.type != RecordType::alert || record.epoch != 0) return std::nullopt;
  const std::string_view body = record.fragment();
  if (body.size() != 2 || static_cast<std::uint8_t>(body[0]) != kFatal) return std::nullopt;
  return static_cast<std::uint8_t>(body[1]);
}

void encode_hello_verify(std::string_view cookie, std::uint64_t number, std::string& out) {
  const std::size_t size = 2 + 1 + cookie.size();
  out.clear();
  append_header(out, RecordType::handshake, number, kMessageHeader + size);
  out.push_back(static_cast<char>(kHelloVerifyRequest));
  append24(out, size);
  append(out, std::uint16_t{0});
  append24(out, 0);
  append24(out, size);
  append(out, kVersion10);
  out.push_back(static_cast<char>(cookie.size()));
  out += cookie;
}

void encode_alert(Alert alert, std::uint64_t number, std::string& out) {
  out.clear();
  append_header(out, RecordType::alert, number, 2);
  out.push_back(static_cast<char>(kFatal));
  out.push_back(static_cast<char>(alert));
}

}  // namespace netkit::datagram
