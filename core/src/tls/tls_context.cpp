#include "tls/tls_stream.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netkit/net/ip_address.hpp>
#include <netkit/net/tls.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitStatus::config, what + ": " + openssl_reason());
}

SslContextPtr make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) throw Error(ExitStatus::fault, "cannot set up TLS: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

void load_identity(SSL_CTX* context, const std::string& cert_file, const std::string& key_file) {
  if (cert_file.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    refuse("cannot use the certificate in '" + cert_file + "'");
  }
  const std::string& key = key_file.empty() ? cert_file : key_file;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    refuse("cannot use the key in '" + key + "'");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    refuse("the key in '" + key + "' does not fit the certificate in '" + cert_file + "'");
  }
}

// The wire form of RFC 7301: each name after its length.
std::vector<unsigned char> alpn_list(const std::vector<std::string>& names) {
  std::vector<unsigned char> list;
  for (const std::string& name : names) {
    list.push_back(static_cast<unsigned char>(name.size()));
    list.insert(list.end(), name.begin(), name.end());
  }
  return list;
}

class ContextImpl final : public TlsContext {
 public:
  ContextImpl(SslContextPtr context, bool client) : context_(std::move(context)), client_(client) {}

  std::unique_ptr<ByteStream> make_stream(EventLoop& loop, FileDescriptor socket,
                                          const Endpoint& peer, ByteStream::Handler& handler,
                                          const std::string& server_name,
                                          std::function<void(std::string_view)> on_ready) override {
    SslPtr ssl(SSL_new(context_.get()));
    if (!ssl) throw Error(ExitStatus::fault, "cannot set up TLS: " + openssl_reason());
    if (client_) {
      SSL_set_connect_state(ssl.get());
      expect_name(ssl.get(), server_name);
    } else {
      SSL_set_accept_state(ssl.get());
    }
    return std::make_unique<TlsStream>(loop, std::move(socket), peer, handler, std::move(ssl),
                                       std::move(on_ready));
  }

 private:
  static void expect_name(SSL* ssl, const std::string& server_name) {
    if (server_name.empty()) return;
    X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl);
    if (IpAddress::parse(server_name)) {
      X509_VERIFY_PARAM_set1_ip_asc(parameters, server_name.c_str());
      return;  // RFC 6066: no SNI for a numeric address
    }
    SSL_set_tlsext_host_name(ssl, server_name.c_str());
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(parameters, server_name.c_str(), server_name.size());
  }

  SslContextPtr context_;
  bool client_;
};

}  // namespace

std::shared_ptr<TlsContext> TlsContext::client(const TlsClientOptions& options) {
  SslContextPtr context = make_context(TLS_client_method());
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) != 1) {
    refuse("cannot use the certificates in '" + options.ca_file + "'");
  }
  SSL_CTX_set_verify(context.get(), options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  load_identity(context.get(), options.cert_file, options.key_file);
  if (!options.alpn.empty()) {
    const std::vector<unsigned char> list = alpn_list(options.alpn);
    SSL_CTX_set_alpn_protos(context.get(), list.data(), static_cast<unsigned>(list.size()));
  }
  return std::make_shared<ContextImpl>(std::move(context), true);
}

std::shared_ptr<TlsContext> TlsContext::server(const TlsServerOptions& options) {
  SslContextPtr context = make_context(TLS_server_method());
  load_identity(context.get(), options.cert_file, options.key_file);
  if (!options.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context.get(), options.client_ca_file.c_str(), nullptr) !=
        1) {
      refuse("cannot use the certificates in '" + options.client_ca_file + "'");
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return std::make_shared<ContextImpl>(std::move(context), false);
}

}  // namespace netkit
