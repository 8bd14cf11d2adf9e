// private_limit COUNT: so many DTLS handshakes of OpenSSL with itself over loopback, with the suite
// that netkit has, and nothing else. Says how many a second the server's half of the work allows:
// its system calls, a cookie, OpenSSL.
#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/hmac.h>
#include <openssl/ssl.h>

namespace {

unsigned server_key(SSL*, const char*, unsigned char* out, unsigned) {
  std::memset(out, 1, 32);
  return 32;
}

unsigned client_key(SSL*, const char*, char* identity, unsigned, unsigned char* out, unsigned) {
  std::strcpy(identity, "ann");
  std::memset(out, 1, 32);
  return 32;
}

int make_cookie(SSL*, unsigned char* cookie, unsigned* size) {
  static const char kKey[32] = {1};
  return HMAC(EVP_sha256(), kKey, sizeof kKey, nullptr, 0, cookie, size) != nullptr ? 1 : 0;
}

int check_cookie(SSL* ssl, const unsigned char* cookie, unsigned size) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> expected{};
  unsigned expected_size = 0;
  return make_cookie(ssl, expected.data(), &expected_size) == 1 && size == expected_size &&
                 CRYPTO_memcmp(cookie, expected.data(), size) == 0
             ? 1
             : 0;
}

double cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

SSL_CTX* make_context() {
  SSL_CTX* const context = SSL_CTX_new(DTLS_method());
  SSL_CTX_set_cipher_list(context, "ECDHE-PSK-CHACHA20-POLY1305");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU | SSL_OP_COOKIE_EXCHANGE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_psk_server_callback(context, server_key);
  SSL_CTX_set_psk_client_callback(context, client_key);
  SSL_CTX_set_cookie_generate_cb(context, make_cookie);
  SSL_CTX_set_cookie_verify_cb(context, check_cookie);
  return context;
}

// A socket of loopback that has a port.
int open_socket() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) std::abort();
  return fd;
}

class Limit {
 public:
  Limit() {
    socklen_t size = sizeof address_;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &size);
  }
  ~Limit() {
    ::close(fd_);
    SSL_CTX_free(context_);
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

  // What the server's calls take.
  double shake_hands() {
    const int fd = open_socket();
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0) {
      std::abort();
    }
    SSL* const client = SSL_new(context_);
    BIO* const way = BIO_new_dgram(fd, BIO_CLOSE);
    BIO_ctrl(way, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &address_);
    SSL_set_bio(client, way, way);
    SSL_set_mtu(client, 1200);
    double spent = -cpu_seconds();
    SSL* const server = SSL_new(context_);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(server), -1);
    SSL_set_mtu(server, 1200);
    spent += cpu_seconds();
    bool done = false;
    while (!done) {
      const bool ours = SSL_connect(client) == 1;
      spent -= cpu_seconds();
      done = answer(server) && ours;
      spent += cpu_seconds();
    }
    SSL_free(client);
    spent -= cpu_seconds();
    SSL_free(server);
    return spent + cpu_seconds();
  }

 private:
  // Takes what has come, and sends what there is to say.
  bool answer(SSL* server) const {
    std::array<char, 2048> datagram;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(fd_, datagram.data(), datagram.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got > 0) BIO_write(SSL_get_rbio(server), datagram.data(), static_cast<int>(got));
    const bool done = SSL_accept(server) == 1;
    char* bytes = nullptr;
    BIO* const out = SSL_get_wbio(server);
    const long count = BIO_get_mem_data(out, &bytes);
    if (count > 0) {
      ::sendto(fd_, bytes, static_cast<std::size_t>(count), 0,
               reinterpret_cast<const sockaddr*>(&from), size);
    }
    static_cast<void>(BIO_reset(out));
    return done;
  }

  SSL_CTX* context_ = make_context();
  int fd_ = open_socket();
  sockaddr_in address_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long count = std::strtol(argv[1], nullptr, 10);
  Limit limit;
  double spent = 0;
  for (long i = 0; i < count; ++i) spent += limit.shake_hands();
  std::printf("%.1f\n", static_cast<double>(count) / spent);
  return 0;
}
