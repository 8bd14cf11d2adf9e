// The records of one DTLS 1.2 association once its handshake is done: ChaCha20-Poly1305 (RFC 7905)
// of epoch 1.
#pragma once

#include "datagram/dtls_wire.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/datagram/options.hpp>
#include <netkit/tls/dtls.hpp>
#include <netkit/util/export.hpp>

typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;

namespace netkit::datagram {

// [one thread] About 1.5 KiB. Allocates nothing per record.
class NETKIT_API DtlsRecords {
 public:
  static constexpr std::size_t kOverhead = kRecordHeader + 16;  // bytes that a record adds
  static_assert(kOverhead == kPrivateOverhead);

  // What this side writes by, from record `first` on, and what it reads by. Throws std::bad_alloc.
  DtlsRecords(const DtlsSecret& write, const DtlsSecret& read,
              std::uint64_t first = DtlsSecrets::kFirstRecord);

  // All numbers are used up: none may be used twice, so nothing more can be sent with these keys.
  bool exhausted() const { return next_ > kLastRecord; }
  // A record of `head` then `body` at `out`, which has room for them and kOverhead. Not to be
  // called once exhausted().
  void seal(RecordType type, std::string_view head, std::string_view body, char* out);
  // The content of an authentic record that has not come before, in `out`; false for any other.
  bool open(const DtlsRecord& record, std::string& out);

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const;
  };
  using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Free>;
  static Cipher make_cipher(const DtlsSecret& secret, bool seals);
  bool is_new(std::uint64_t number) const;
  void remember(std::uint64_t number);

  static constexpr std::uint64_t kLastRecord = (std::uint64_t{1} << 48) - 1;
  // The most forgeries allowed per key (RFC 9147, 4.5.3); then nothing more is accepted with it.
  static constexpr std::uint64_t kMostForged = std::uint64_t{1} << 36;
  // As far back as a sender's datagrams may overtake each other (Options::receive_window).
  static constexpr std::uint64_t kWindow = 4096;
  Cipher write_;
  Cipher read_;
  std::uint64_t next_;                              // of what is written
  std::uint64_t forged_ = 0;                        // what came and was not authentic
  std::uint64_t end_ = 0;                           // one more than the highest that has come
  std::array<std::uint64_t, kWindow / 64> seen_{};  // by number modulo kWindow
};

}  // namespace netkit::datagram
