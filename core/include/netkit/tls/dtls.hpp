// The handshake of DTLS 1.2 with a pre-shared key. OpenSSL's libssl is loaded when the first
// context is made; the records after the handshake are not made here.
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

// The result of a handshake. OpenSSL has used record numbers from 0 on, some for each flight,
// in both directions: further records begin with kFirstRecord.
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
    done,    // secrets() are available; further datagrams still go to it, see below
    failed,  // reason()
  };
  using Datagrams = std::vector<std::string>;
  virtual ~DtlsHandshake() = default;

  virtual void start(Datagrams& out) = 0;  // a client's first flight
  // A datagram received; one that cannot be authentic changes nothing. A server whose last flight
  // was lost repeats it when the client repeats its own, until the client is known to have it:
  // then the handshake can be destroyed. A client's can be at once. If it is resumed(), the roles
  // are exchanged, as the client's flight is the last.
  virtual void on_datagram(std::string_view datagram, Datagrams& out) = 0;
  // Nothing has come for a while: repeats the last flight.
  virtual void on_timer(Datagrams& out) = 0;

  virtual State state() const = 0;
  virtual const DtlsSecrets& secrets() const = 0;
  // Of a server: the identity the client claims, proved once done. Empty: not yet known.
  virtual const std::string& identity() const = 0;
  virtual bool identity_known() const = 0;  // of a server: there is such a key
  // It resumed the session of an earlier handshake of this context with the same key.
  virtual bool resumed() const = 0;
  virtual const std::string& reason() const = 0;
};

// Settings that handshakes share, the last session of each identity, and what SSLKEYLOGFILE asks
// for. Throws Error. [one thread]
class NETKIT_API DtlsContext {
 public:
  // Of a server: the key of an identity, null if there is none.
  using FindKey = std::function<const PskKey*(std::string_view identity)>;

  static std::shared_ptr<DtlsContext> make();
  virtual ~DtlsContext() = default;

  // `first` is the number of the first record in clear.
  virtual std::unique_ptr<DtlsHandshake> connect(const PskIdentity& identity,
                                                 std::uint64_t first) = 0;
  // `hello` is a ClientHello whose cookie has been verified; the answer is put into `out`. `find`
  // outlives the handshake. Null: it is not a ClientHello.
  virtual std::unique_ptr<DtlsHandshake> accept(std::string_view hello, const FindKey& find,
                                                DtlsHandshake::Datagrams& out) = 0;
};

}  // namespace netkit
