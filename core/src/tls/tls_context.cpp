#include "tls/either_stream.hpp"
#include "tls/key_log.hpp"
#include "tls/tls_library.hpp"
#include "tls/tls_stream.hpp"

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netkit/net/ip_address.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextFree>;

[[noreturn]] void refuse(const std::string& message) {
  ERR_clear_error();
  throw Error(ExitStatus::config, message);
}

// To distinguish a missing file from one with other content. A pipe would be waited for, here and
// by the library.
void check_readable(const std::string& file, const char* what) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) == 0 && S_ISFIFO(status.st_mode))
    refuse(std::string("the ") + what + " '" + file + "' is a pipe; use a file");
  std::FILE* const opened = std::fopen(file.c_str(), "re");
  if (opened == nullptr)
    refuse(std::string("cannot read the ") + what + " '" + file + "': " + error_text(errno));
  // A folder opens as well, and only cannot be read.
  const int first = std::fgetc(opened);
  const bool failed = std::ferror(opened) != 0;
  const int error = errno;
  static_cast<void>(std::fclose(opened));
  if (failed)
    refuse(std::string("cannot read the ") + what + " '" + file + "': " + error_text(error));
  if (first == EOF) refuse(std::string("the ") + what + " '" + file + "' is empty");
}

bool nothing_found() {
  const unsigned long code = ERR_peek_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

// No passphrase is requested: there may be nobody to enter it.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

void load_key(SSL_CTX* context, const std::string& file) {
  check_readable(file, "key file");
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (loaded) return;
  if (asked) refuse("the key file '" + file + "' is encrypted; use one without a passphrase");
  if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) return;  // told below
  refuse("the key file '" + file + "' holds no private key in PEM format");
}

// An empty `key_file`: the key is in the certificate's file, as many tools write it.
void load_identity(SSL_CTX* context, const std::string& cert_file, const std::string& key_file) {
  if (cert_file.empty()) refuse("the key file '" + key_file + "' needs its certificate");
  check_readable(cert_file, "certificate file");
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    if (nothing_found())
      refuse("the certificate file '" + cert_file + "' holds no certificate in PEM format");
    refuse("the certificate file '" + cert_file + "' is unusable: " + tls::take_library_reason());
  }
  const std::string& key = key_file.empty() ? cert_file : key_file;
  load_key(context, key);
  ERR_clear_error();
  if (SSL_CTX_check_private_key(context) != 1) {
    refuse("the key file '" + key + "' does not belong to the certificate file '" + cert_file +
           "'");
  }
}

void load_authorities(SSL_CTX* context, const std::string& file) {
  check_readable(file, "CA file");
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, file.c_str()) == 1) return;
  refuse("the CA file '" + file + "' holds no certificate in PEM format");
}

ContextPtr new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(method));
  if (!context) refuse("cannot set up TLS: " + tls::take_library_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps none
  tls::log_keys(context.get());
  return context;
}

// Each with its length before it (RFC 7301).
std::string alpn_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      refuse("an ALPN protocol has 1 to 255 bytes, not " + std::to_string(protocol.size()));
    list.push_back(static_cast<char>(protocol.size()));
    list += protocol;
  }
  return list;
}

void offer_alpn(SSL_CTX* context, const std::vector<std::string>& protocols) {
  const std::string list = alpn_list(protocols);
  if (list.empty()) return;
  if (SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                              static_cast<unsigned>(list.size())) != 0) {
    refuse("the list of ALPN protocols is unusable");
  }
}

// The first of the server's that the client has, too; a client that has none of them is served as
// one that does not ask.
int choose_alpn(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
                const unsigned char* offered, unsigned offered_size, void* list) {
  const auto& own = *static_cast<const std::string*>(list);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(own.data()),
                            static_cast<unsigned>(own.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

class OpenSslContext final : public TlsContext {
 public:
  OpenSslContext(ContextPtr context, bool is_client, bool verify, tls::PskSide psk = {})
      : psk_(std::move(psk)), context_(std::move(context)), is_client_(is_client), verify_(verify) {
    if (psk_.own || psk_.keys) SSL_CTX_set_app_data(context_.get(), &psk_);
  }

  // Of a server: what it negotiates, and which clients it serves.
  void serve(const TlsServerOptions& options) {
    alpn_ = alpn_list(options.alpn);
    if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context_.get(), choose_alpn, &alpn_);
    psk_file_ = options.psk_file;
    also_clear_ = options.also_clear;
  }

  const PskKeys* psk_keys() const override { return psk_.keys ? &*psk_.keys : nullptr; }
  const std::string& psk_file() const override { return psk_file_; }
  PskKeys set_psk_keys(PskKeys keys) override { return std::exchange(*psk_.keys, std::move(keys)); }
  std::string identity_of(const ByteStream& stream) const override {
    const ByteStream* inner = &stream;
    if (also_clear_) inner = static_cast<const tls::EitherStream&>(stream).chosen();
    const auto* const secure = dynamic_cast<const tls::TlsStream*>(inner);
    return secure == nullptr || !psk_.keys ? std::string() : secure->noted();
  }

  std::unique_ptr<ByteStream> make_stream(
      EventLoop& loop, FileDescriptor socket, const Endpoint& peer, ByteStream::Handler& handler,
      const std::string& server_name,
      std::function<void(std::string_view alpn)> on_ready) override {
    if (!also_clear_) {
      return secure(loop, std::move(socket), peer, handler, server_name, std::move(on_ready));
    }
    auto with_tls = [this, &loop, peer, &handler](FileDescriptor accepted, auto ready) {
      return secure(loop, std::move(accepted), peer, handler, {}, std::move(ready));
    };
    return std::make_unique<tls::EitherStream>(loop, std::move(socket), peer, handler,
                                               std::move(with_tls), std::move(on_ready));
  }

 private:
  std::unique_ptr<ByteStream> secure(EventLoop& loop, FileDescriptor socket, const Endpoint& peer,
                                     ByteStream::Handler& handler, const std::string& server_name,
                                     tls::TlsStream::OnReady on_ready) {
    ERR_clear_error();
    tls::SslPtr ssl(SSL_new(context_.get()));
    if (!ssl) throw Error(ExitStatus::fault, "cannot set up TLS: " + tls::take_library_reason());
    std::string wanted;
    if (is_client_) {
      SSL_set_connect_state(ssl.get());
      wanted = server_name.empty() ? peer.address().to_string() : server_name;
      expect(ssl.get(), wanted);
    } else {
      SSL_set_accept_state(ssl.get());
    }
    return std::make_unique<tls::TlsStream>(loop, std::move(ssl), std::move(socket), peer, handler,
                                            std::move(wanted), std::move(on_ready));
  }

  // SNI carries names only (RFC 6066, section 3); an address is looked for among the certificate's
  // addresses.
  void expect(SSL* ssl, const std::string& name) const {
    const std::string host = name.substr(0, name.find('%'));  // the zone is this machine's affair
    // OpenSSL reads up to a NUL: the name that is verified would be another one.
    bool accepted = name.find('\0') == std::string::npos;
    if (!accepted) {
      // refused below
    } else if (IpAddress::parse(host)) {
      accepted = !verify_ || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    } else {
      const std::string bare = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
      accepted = SSL_set_tlsext_host_name(ssl, bare.c_str()) == 1;
      SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (accepted && verify_) accepted = SSL_set1_host(ssl, bare.c_str()) == 1;
    }
    if (!accepted)
      throw Error(ExitStatus::usage, "'" + name + "' cannot be the name of a TLS server");
  }

  tls::PskSide psk_;
  ContextPtr context_;
  bool is_client_;
  bool verify_;
  bool also_clear_ = false;
  std::string alpn_{};
  std::string psk_file_{};
};

// The suite that DTLS has (dtls_handshake.cpp): OpenSSL's other ones with keys are of CBC, or have
// no forward secrecy.
void use_keys(SSL_CTX* context) {
  if (SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, tls::kPskCipher) != 1) {
    refuse("cannot set up TLS with pre-shared keys: " + tls::take_library_reason());
  }
  SSL_CTX_set_psk_server_callback(context, tls::find_client_key);
  SSL_CTX_set_psk_client_callback(context, tls::give_own_key);
}

std::shared_ptr<TlsContext> make_client(const TlsClientOptions& options) {
  ContextPtr context = new_context(TLS_client_method());
  if (options.psk) {
    use_keys(context.get());
    offer_alpn(context.get(), options.alpn);
    return std::make_shared<OpenSslContext>(std::move(context), true, false,
                                            tls::PskSide{.own = options.psk});
  }
  if (!options.ca_file.empty()) {
    load_authorities(context.get(), options.ca_file);
  } else if (!options.insecure) {
    SSL_CTX_set_default_verify_paths(context.get());
  }
  if (!options.cert_file.empty() || !options.key_file.empty())
    load_identity(context.get(), options.cert_file, options.key_file);
  offer_alpn(context.get(), options.alpn);
  SSL_CTX_set_verify(context.get(), options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     options.insecure ? nullptr : tls::remember_names);
  return std::make_shared<OpenSslContext>(std::move(context), true, !options.insecure);
}

std::shared_ptr<TlsContext> make_server(const TlsServerOptions& options) {
  ContextPtr context = new_context(TLS_server_method());
  if (options.psk_keys) {
    use_keys(context.get());
  } else {
    if (options.cert_file.empty()) refuse("a TLS server needs a certificate");
    load_identity(context.get(), options.cert_file, options.key_file);
  }
  if (!options.client_ca_file.empty()) {
    load_authorities(context.get(), options.client_ca_file);
    SSL_CTX_set_client_CA_list(context.get(),
                               SSL_load_client_CA_file(options.client_ca_file.c_str()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  // No tickets: a client that only writes and closes would leave them unread, and the reset that
  // follows from that can cost the server the last of what the client said.
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  const auto made = std::make_shared<OpenSslContext>(std::move(context), false, false,
                                                     tls::PskSide{.keys = options.psk_keys});
  made->serve(options);
  return made;
}

}  // namespace
}  // namespace netkit

extern "C" NETKIT_API const netkit::TlsLibrary* netkit_tls_library() {
  static constexpr netkit::TlsLibrary kLibrary{netkit::make_client, netkit::make_server,
                                               netkit::tls::make_dtls_context};
  return &kLibrary;
}
