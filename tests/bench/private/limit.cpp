// private_limit KEYS: the least that a server of DTLS by keys can be, on loopback: recvfrom,
// OpenSSL with the suite that netkit has and a cookie, sendto, and nothing else. Prints ":PORT";
// knows clients by their addresses, and forgets one when it has read what comes behind its
// handshake. KEYS is a file of them as netkit has it.
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unordered_map>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

namespace {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, Free>;

// What the callbacks of OpenSSL ask for, as the app data of the context.
struct Secrets {
  std::unordered_map<std::string, std::string> keys;  // by identity
  EVP_MAC_CTX* cookie = nullptr;                      // HMAC-SHA-256, with its key
};

Secrets& secrets_of(const SSL* ssl) {
  return *static_cast<Secrets*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

unsigned find_key(SSL* ssl, const char* identity, unsigned char* out, unsigned) {
  const auto& keys = secrets_of(ssl).keys;
  const auto found = keys.find(identity);
  if (found == keys.end()) return 0;
  std::memcpy(out, found->second.data(), found->second.size());
  return static_cast<unsigned>(found->second.size());
}

// Of the address, which is the SSL's app data.
int make_cookie(SSL* ssl, unsigned char* cookie, unsigned* size) {
  EVP_MAC_CTX* const mac = secrets_of(ssl).cookie;
  const auto* const address = static_cast<const unsigned char*>(SSL_get_app_data(ssl));
  std::array<unsigned char, 32> digest;
  std::size_t digest_size = 0;
  EVP_MAC_init(mac, nullptr, 0, nullptr);
  EVP_MAC_update(mac, address, sizeof(std::uint64_t));
  EVP_MAC_final(mac, digest.data(), &digest_size, digest.size());
  *size = 20;  // as long as netkit's
  std::memcpy(cookie, digest.data(), *size);
  return 1;
}

int check_cookie(SSL* ssl, const unsigned char* cookie, unsigned size) {
  std::array<unsigned char, 32> expected{};
  unsigned expected_size = 0;
  make_cookie(ssl, expected.data(), &expected_size);
  return size == expected_size && CRYPTO_memcmp(cookie, expected.data(), size) == 0 ? 1 : 0;
}

Secrets read_secrets(const char* path) {
  Secrets secrets;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    long size = 0;
    unsigned char* const key = OPENSSL_hexstr2buf(line.c_str() + colon + 1, &size);
    if (key == nullptr) std::abort();
    secrets.keys[line.substr(0, colon)] = {reinterpret_cast<char*>(key),
                                           static_cast<std::size_t>(size)};
    OPENSSL_free(key);
  }
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  secrets.cookie = EVP_MAC_CTX_new(hmac);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  const std::array<unsigned char, 32> key{1};
  EVP_MAC_init(secrets.cookie, key.data(), key.size(), parameters);
  return secrets;
}

SSL_CTX* make_context(Secrets& secrets) {
  SSL_CTX* const context = SSL_CTX_new(DTLS_server_method());
  SSL_CTX_set_cipher_list(context, "ECDHE-PSK-CHACHA20-POLY1305");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU | SSL_OP_COOKIE_EXCHANGE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_psk_server_callback(context, find_key);
  SSL_CTX_set_cookie_generate_cb(context, make_cookie);
  SSL_CTX_set_cookie_verify_cb(context, check_cookie);
  SSL_CTX_set_app_data(context, &secrets);
  return context;
}

class Limit {
 public:
  explicit Limit(const char* keys) : secrets_(read_secrets(keys)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, any, size) != 0 || ::getsockname(fd_, any, &size) != 0) std::abort();
    std::fprintf(stderr, ":%d\n", ntohs(address.sin_port));
  }

  void serve() {
    std::array<char, 2048> datagram;
    for (;;) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(fd_, datagram.data(), datagram.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got > 0) take(from, {datagram.data(), static_cast<std::size_t>(got)});
    }
  }

 private:
  struct Peer {
    std::uint64_t address;  // and port
    SslPtr ssl;
  };

  Peer& peer_of(std::uint64_t address) {
    const auto [at, is_new] = peers_.try_emplace(address, Peer{address, nullptr});
    Peer& peer = at->second;
    if (!is_new) return peer;
    peer.ssl.reset(SSL_new(context_));
    SSL_set_bio(peer.ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(peer.ssl.get()), -1);
    SSL_set_mtu(peer.ssl.get(), 1200);
    SSL_set_app_data(peer.ssl.get(), &peer.address);
    SSL_set_accept_state(peer.ssl.get());
    return peer;
  }

  void take(const sockaddr_in& from, std::string_view datagram) {
    const std::uint64_t address = std::uint64_t{from.sin_addr.s_addr} << 16U | from.sin_port;
    SSL* const ssl = peer_of(address).ssl.get();
    BIO_write(SSL_get_rbio(ssl), datagram.data(), static_cast<int>(datagram.size()));
    std::array<char, 2048> content;
    const bool is_over = SSL_read(ssl, content.data(), static_cast<int>(content.size())) > 0;
    char* bytes = nullptr;
    BIO* const out = SSL_get_wbio(ssl);
    const long count = BIO_get_mem_data(out, &bytes);
    if (count > 0) {
      ::sendto(fd_, bytes, static_cast<std::size_t>(count), 0,
               reinterpret_cast<const sockaddr*>(&from), sizeof from);
      static_cast<void>(BIO_reset(out));
    }
    if (is_over) peers_.erase(address);
  }

  Secrets secrets_;
  SSL_CTX* context_ = make_context(secrets_);
  int fd_ = ::socket(AF_INET, SOCK_DGRAM, 0);
  std::unordered_map<std::uint64_t, Peer> peers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Limit(argv[1]).serve();
}
