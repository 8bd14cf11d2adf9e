// TLS over a TCP stream. OpenSSL's libssl is loaded when the first context is made.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netkit/net/tcp_stream.hpp>
#include <netkit/tls/psk.hpp>

namespace netkit {

struct TlsClientOptions {
  std::string ca_file{};    // PEM; empty: the system's
  std::string cert_file{};  // PEM chain of the client, with key_file
  std::string key_file{};
  bool insecure = false;  // do not verify; the caller warns
  std::vector<std::string> alpn{};
  // Authenticates with this key, which the server must have, instead of certificates.
  std::optional<PskIdentity> psk{};
};

struct TlsServerOptions {
  std::string cert_file{};  // PEM chain
  std::string key_file{};
  std::string
      client_ca_file{};  // require client certificates signed by these; empty: none asked for
  std::vector<std::string> alpn{};  // the first of these that the client offers is selected
  // Accepts only clients with one of these keys, instead of using certificates.
  std::optional<PskKeys> psk_keys{};
  std::string psk_file{};  // where they come from
  // Clients that do not begin with a TLS handshake are served in clear text.
  bool also_clear = false;
};

// Certificates and settings, loaded once and shared by the streams made from it. TLS 1.2 and later;
// with pre-shared keys TLS 1.2, ECDHE and ChaCha20-Poly1305, as DTLS has it (tls/dtls.hpp).
// Throws Error (ExitStatus::config) that names the file and says what is wrong with it.
class NETKIT_API TlsContext : public StreamMaker {
 public:
  static std::shared_ptr<TlsContext> client(const TlsClientOptions& options);
  static std::shared_ptr<TlsContext> server(const TlsServerOptions& options);

  // Of make_stream(): as a client, `server_name` is sent as SNI and verified against the
  // certificate (a numeric address as an IP SAN, RFC 6125). A handshake that fails ends in
  // Handler::on_closed with EPROTO and a reason for people ("certificate has expired"). A stream
  // that the peer ends without close_notify ends with ECONNRESET, never on_end.

  // The keys of a server with pre-shared keys, used in handshakes; null for any other.
  virtual const PskKeys* psk_keys() const = 0;
  virtual const std::string& psk_file() const = 0;
  virtual PskKeys set_psk_keys(PskKeys keys) = 0;  // returns the previous ones
  // The identity of a stream's peer, proved by its key, or during the handshake only claimed;
  // empty: not claimed yet, or clear text.
  virtual std::string identity_of(const ByteStream& stream) const = 0;
};

// Creates the file that SSLKEYLOGFILE names, if any, with mode 0600: for a library that writes to
// it. TlsContext and DtlsContext create it themselves.
NETKIT_API void make_key_log_file();

}  // namespace netkit
