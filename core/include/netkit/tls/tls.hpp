// TLS over a TCP stream. OpenSSL's libssl is loaded when the first context is made.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netkit/net/tcp_stream.hpp>

namespace netkit {

struct TlsClientOptions {
  std::string ca_file{};    // PEM; empty: the system's
  std::string cert_file{};  // PEM chain of the client, with key_file
  std::string key_file{};
  bool insecure = false;  // do not verify; the caller warns
  std::vector<std::string> alpn{};
};

struct TlsServerOptions {
  std::string cert_file{};  // PEM chain
  std::string key_file{};
  std::string
      client_ca_file{};  // require client certificates signed by these; empty: none asked for
  std::vector<std::string> alpn{};  // the first of these that the client has is agreed on, if any
};

// Certificates and settings, loaded once and shared by the streams made from it. TLS 1.2 and later.
// Throws Error (ExitStatus::config) that names the file and says what is wrong with it.
class NETKIT_API TlsContext : public StreamMaker {
 public:
  static std::shared_ptr<TlsContext> client(const TlsClientOptions& options);
  static std::shared_ptr<TlsContext> server(const TlsServerOptions& options);

  // Of make_stream(): as a client, `server_name` is sent as SNI and verified against the
  // certificate (a numeric address as an IP SAN, RFC 6125). A handshake that fails ends in
  // Handler::on_closed with EPROTO and a reason for people ("certificate has expired"). A stream
  // that the peer ends without close_notify ends with ECONNRESET, never on_end.
};

}  // namespace netkit
