// ByteStream of TLS over a ByteStream of TCP, and OpenSSL's errors in words for people.
#pragma once

#include "net/tcp_stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include <netkit/net/tcp_stream.hpp>
#include <netkit/tls/psk.hpp>

namespace netkit::tls {

// For SSL_CTX_set_verify: keeps the names of a certificate that is for somebody else in the string
// that is the SSL's app data, because OpenSSL has dropped the certificate when take_reason() asks.
int remember_names(int verified, X509_STORE_CTX* context);

struct Reason {
  StreamFault fault = StreamFault::protocol;
  std::string text{};
  bool needs_key = false;  // to be reported to the peer, which uses clear text
};

// For the callbacks that ask for a key: its size; 0, and nothing at `out`, where it is null or has
// no room.
unsigned put_key(const PskKey* key, unsigned char* out, unsigned room);

inline constexpr char kPskCipher[] = "ECDHE-PSK-CHACHA20-POLY1305";

// The pre-shared keys of a context, which is its app data where it has some.
struct PskSide {
  std::optional<PskIdentity> own{};  // a client's
  std::optional<PskKeys> keys{};     // a server's
};
// For SSL_CTX_set_psk_server_callback and SSL_CTX_set_psk_client_callback of streams. Who a client
// says to be is left in the string that is the SSL's app data, for take_reason().
unsigned find_client_key(SSL* ssl, const char* identity, unsigned char* out, unsigned room);
unsigned give_own_key(SSL* ssl, const char* hint, char* identity, unsigned identity_room,
                      unsigned char* out, unsigned room);

// Why the last call on `ssl` failed, and empties the thread's error queue. `wanted` is the name or
// address that the certificate should be for; empty on a server.
Reason take_reason(const SSL* ssl, const std::string& wanted);

// The oldest error of the thread's queue, without its codes and file names; empties the queue.
std::string take_library_reason();

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

// [loop] OpenSSL works on two memory buffers and never sees the socket. So nothing can wait inside
// of it: what the peer sent is decrypted until OpenSSL wants more, and what is written is encrypted
// at once and queued, counted and sent by the TCP stream below.
class TlsStream final : public ByteStream, private ByteStream::Handler {
 public:
  using OnReady = std::function<void(std::string_view alpn)>;

  // `ssl` has its role (client, server) and what it verifies; `wanted` is for messages.
  TlsStream(EventLoop& loop, SslPtr ssl, FileDescriptor socket, const Endpoint& peer,
            ByteStream::Handler& handler, std::string wanted, OnReady on_ready);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  void write(std::string_view data) override;
  void write(const SharedPayload& payload) override { write(std::string_view(*payload)); }
  void shutdown_write() override;
  void close() override;
  void abort() override;
  void pause_reading() override;
  void resume_reading() override;
  std::size_t queued() const override;
  void set_water_marks(std::size_t low, std::size_t high) override;
  Endpoint peer() const override { return below_->peer(); }
  Endpoint local() const override { return below_->local(); }
  StreamFault fault() const override { return reason_.fault; }
  // What callbacks of OpenSSL have left here: of a server with pre-shared keys the identity.
  const std::string& noted() const { return noted_; }

 private:
  enum class State : unsigned char { handshake, open, closing, closed };

  void on_data(ByteStream& stream, std::string_view data) override;
  void on_end(ByteStream& stream) override;
  void on_closed(ByteStream& stream, int error, std::string_view reason) override;
  void on_low_water(ByteStream& stream) override;

  bool shake_hands();
  bool become_ready();
  void read_on();
  bool deliver(std::string_view data);
  void end_reading();
  void encrypt(std::string_view data);
  void say_goodbye();
  void send_end();
  std::size_t flush();
  bool flush_answers();
  void fail(int error, Reason reason);
  bool over() const { return state_ == State::closing || state_ == State::closed; }

  EventLoop& loop_;
  ByteStream::Handler& handler_;
  SslPtr ssl_;
  std::string wanted_;
  OnReady on_ready_;
  std::string waiting_;  // written before the handshake was done
  Reason reason_{StreamFault::none};
  std::string noted_;  // the identity that the client claims, or the names of a wrong certificate
  Timer timer_;        // continues what must not happen inside of a call
  Survival survival_;
  std::size_t high_ = std::size_t{1024} * 1024;
  std::size_t answers_ = 0;  // of OpenSSL's own, since nothing was queued
  int error_ = 0;
  State state_ = State::handshake;
  bool reading_ = true;
  bool ended_ = false;            // the peer's close_notify was passed on
  bool shutdown_wanted_ = false;  // ours is sent, or will be
  bool close_wanted_ = false;     // close() before the handshake was done
  bool only_goodbye_left_ = false;
  bool above_high_ = false;
  std::unique_ptr<ByteStream> below_;
};

}  // namespace netkit::tls
