// The handshake of DTLS 1.2 with a pre-shared key. OpenSSL's libssl is loaded when the first
// context is made; the records of what was agreed on are not its business.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/tls/psk.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// One direction's key and IV for ChaCha20-Poly1305 (RFC 7905), of epoch 1.
struct DtlsSecret {
  std::array<unsigned char, 32> key{};
  std::array<unsigned char, 12> iv{};
};

// What a handshake has agreed on. OpenSSL has used record numbers from 0 on, some for each flight,
// in both directions: records of others begin with kFirstRecord.
struct DtlsSecrets {
  static constexpr std::uint64_t kFirstRecord = 1u << 16;
  DtlsSecret client;  // of what the client writes
  DtlsSecret server;
};

// One side of a handshake: datagrams go in and come out. ECDHE with a pre-shared key and
// ChaCha20-Poly1305, nothing else. It has no clock: its owner calls on_timer(). [one thread]
class NETKIT_API DtlsHandshake {
 public:
  enum class State : std::uint8_t {
    going,
    done,    // secrets() are there; what comes is still to be given to it, as below
    failed,  // reason()
  };
  using Datagrams = std::vector<std::string>;
  virtual ~DtlsHandshake() = default;

  virtual void start(Datagrams& out) = 0;  // a client's first flight
  // One that came. One that cannot be authentic changes nothing. A server whose last flight was
  // lost repeats it when the client's last one comes again, until the client is known to have it:
  // then the handshake can be destroyed. A client's can be at once. Of one that is resumed() it is
  // the other way round: the client has the last word.
  virtual void on_datagram(std::string_view datagram, Datagrams& out) = 0;
  // Nothing has come for a while: repeats the last flight.
  virtual void on_timer(Datagrams& out) = 0;

  virtual State state() const = 0;
  virtual const DtlsSecrets& secrets() const = 0;
  // A server's: the identity the client claims, proved once done. Empty: not yet known.
  virtual const std::string& identity() const = 0;
  virtual bool identity_known() const = 0;  // a server's: there is such a key
  // It went on with what an earlier one of this context, by the same key, had agreed on.
  virtual bool resumed() const = 0;
  virtual const std::string& reason() const = 0;
};

// Settings that handshakes share, the last session of each identity, and what SSLKEYLOGFILE asks
// for. Throws Error. [one thread]
class NETKIT_API DtlsContext {
 public:
  // A server's: the key of an identity, null for one that there is not.
  using FindKey = std::function<const PskKey*(std::string_view identity)>;

  static std::shared_ptr<DtlsContext> make();
  virtual ~DtlsContext() = default;

  virtual std::unique_ptr<DtlsHandshake> connect(const PskIdentity& identity) = 0;
  // `hello` is a ClientHello whose cookie has been found good: its answer is in `out`. `find`
  // outlives the handshake. Null: it is not a ClientHello.
  virtual std::unique_ptr<DtlsHandshake> accept(std::string_view hello, const FindKey& find,
                                                DtlsHandshake::Datagrams& out) = 0;
};

}  // namespace netkit
