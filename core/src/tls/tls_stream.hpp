// A TLS session between a plain stream and its owner.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include <netkit/net/tls.hpp>

namespace netkit {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslDeleter>;

// The oldest error of OpenSSL's queue, in words; clears the queue.
std::string openssl_reason();

// [loop] Records pass through two memory BIOs, so that everything OpenSSL has decrypted is handed
// out at once and nothing waits inside it while the socket is silent. Back-pressure is the plain
// stream's.
class TlsStream final : public ByteStream, private ByteStream::Handler {
 public:
  // `ssl` is set up as client or server.
  TlsStream(EventLoop& loop, FileDescriptor socket, const Endpoint& peer,
            ByteStream::Handler& handler, SslPtr ssl,
            std::function<void(std::string_view)> on_ready);
  ~TlsStream() override;

  void write(std::string_view data) override;
  void write(const SharedPayload& payload) override { write(std::string_view(*payload)); }
  void shutdown_write() override;
  void close() override;
  void abort() override;
  void pause_reading() override;
  void resume_reading() override;
  std::size_t queued() const override { return pending_.size() + plain_->queued(); }
  void set_water_marks(std::size_t low, std::size_t high) override {
    plain_->set_water_marks(low, high);
  }
  Endpoint peer() const override { return plain_->peer(); }
  Endpoint local() const override { return plain_->local(); }

 private:
  using Owner = ByteStream::Handler;

  void on_data(ByteStream& stream, std::string_view data) override;
  void on_end(ByteStream& stream) override;
  void on_closed(ByteStream& stream, int error, std::string_view reason) override;
  void on_high_water(ByteStream& stream) override;
  void on_low_water(ByteStream& stream) override;

  bool advance_handshake();  // false when the stream is gone
  bool deliver();            // likewise
  void send_records();
  void encrypt(std::string_view data);
  void fail(std::string reason);
  void finish_writing();

  EventLoop& loop_;
  Owner& owner_;
  SslPtr ssl_;
  BIO* from_network_;  // owned by ssl_
  BIO* to_network_;    // likewise
  std::function<void(std::string_view)> on_ready_;
  std::unique_ptr<ByteStream> plain_;
  std::string pending_;  // written before the handshake was done
  Timer fail_timer_;
  Timer resume_timer_;
  bool* destroyed_ = nullptr;
  bool ready_ = false;
  bool closed_ = false;
  bool reading_ = true;
  bool end_seen_ = false;  // close_notify
  bool shutdown_wanted_ = false;
  bool close_wanted_ = false;
};

}  // namespace netkit
