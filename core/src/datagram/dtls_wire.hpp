// The part of DTLS 1.2 (RFC 6347) that is read and written before there is a key, without any
// state. All numbers are big-endian. Pure; any thread. Views point into the bytes given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit::datagram {

enum class RecordType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

inline constexpr std::size_t kRecordHeader = 13;  // type, version, epoch and number, length

struct DtlsRecord {
  RecordType type = RecordType::handshake;
  std::uint16_t epoch = 0;
  std::uint64_t number = 0;  // 48 bits
  std::string_view whole{};  // with its header
  std::string_view fragment() const { return whole.substr(kRecordHeader); }
};

// Whether a datagram is one of DTLS: no text begins so, nor does a native one.
NETKIT_API bool is_dtls(std::string_view datagram);
// Takes the first record off `datagram`; nothing where there is no whole one.
NETKIT_API std::optional<DtlsRecord> take_record(std::string_view& datagram);

using ClientRandom = std::array<char, 32>;

// A ClientHello that is whole in one record, as the first of a datagram has to be.
struct ClientHello {
  std::uint64_t record = 0;  // the number of its record
  ClientRandom random{};
  std::string_view cookie{};
};
NETKIT_API std::optional<ClientHello> decode_client_hello(std::string_view datagram);

// The cookie of a HelloVerifyRequest that a datagram begins with.
NETKIT_API std::optional<std::string_view> decode_hello_verify(std::string_view datagram);

// The records in clear of one handshake, both sides', are numbered from its ClientHello on, and
// there are fewer of them: RFC 6347 has servers begin with the ClientHello's number (4.2.1), and
// netkit's clients begin each handshake with another one, so that what answers one before it is
// known for that. Alerts of our own are in the upper half.
inline constexpr std::uint64_t kHandshakeNumbers = 1u << 16;
inline constexpr std::uint64_t kAlertNumbers = kHandshakeNumbers / 2;
inline bool is_of_handshake(const DtlsRecord& record, std::uint64_t first) {
  return record.epoch != 0 || record.number - first < kHandshakeNumbers;
}

// Alerts that say why there is no session (RFC 5246, 4279).
enum class Alert : std::uint8_t {
  close_notify = 0,
  bad_record_mac = 20,     // here also: records of a session that is not known
  handshake_failure = 40,  // no keys, or no cipher in common
  decrypt_error = 51,      // another key
  unknown_psk_identity = 115,
};
// The description of a fatal alert of epoch 0; nothing for other records.
NETKIT_API std::optional<std::uint8_t> decode_alert(const DtlsRecord& record);

// Each replaces `out`. `number` is that of the record.
NETKIT_API void encode_hello_verify(std::string_view cookie, std::uint64_t number,
                                    std::string& out);
NETKIT_API void encode_alert(Alert alert, std::uint64_t number, std::string& out);

}  // namespace netkit::datagram
