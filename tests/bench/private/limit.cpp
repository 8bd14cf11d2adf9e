// private_limit COUNT: so many DTLS handshakes of OpenSSL with itself, in memory, with the suite
// that netkit has. Says how many a second the server's half of the work would allow.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

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

double cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

SSL_CTX* make_context() {
  SSL_CTX* const context = SSL_CTX_new(DTLS_method());
  SSL_CTX_set_cipher_list(context, "ECDHE-PSK-CHACHA20-POLY1305");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_psk_server_callback(context, server_key);
  SSL_CTX_set_psk_client_callback(context, client_key);
  return context;
}

// What the server's calls take.
double shake_hands(SSL_CTX* context) {
  SSL* const client = SSL_new(context);
  double spent = -cpu_seconds();
  SSL* const server = SSL_new(context);
  spent += cpu_seconds();
  BIO* up = nullptr;
  BIO* down = nullptr;
  BIO_new_bio_pair(&up, 16384, &down, 16384);
  SSL_set_bio(client, up, up);
  SSL_set_bio(server, down, down);
  SSL_set_mtu(client, 1200);
  SSL_set_mtu(server, 1200);
  bool done = false;
  while (!done) {
    const bool ours = SSL_connect(client) == 1;
    spent -= cpu_seconds();
    done = SSL_accept(server) == 1 && ours;
    spent += cpu_seconds();
  }
  SSL_free(client);
  spent -= cpu_seconds();
  SSL_free(server);
  return spent + cpu_seconds();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long count = std::strtol(argv[1], nullptr, 10);
  SSL_CTX* const context = make_context();
  double spent = 0;
  for (long i = 0; i < count; ++i) spent += shake_hands(context);
  std::printf("%.1f\n", static_cast<double>(count) / spent);
  SSL_CTX_free(context);
  return 0;
}
