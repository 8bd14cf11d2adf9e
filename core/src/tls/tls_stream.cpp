#include "tls/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace netkit {

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "TLS error";
}

TlsStream::TlsStream(EventLoop& loop, FileDescriptor socket, const Endpoint& peer, Owner& handler,
                     SslPtr ssl, std::function<void(std::string_view)> on_ready)
    : loop_(loop),
      owner_(handler),
      ssl_(std::move(ssl)),
      from_network_(BIO_new(BIO_s_mem())),
      to_network_(BIO_new(BIO_s_mem())),
      on_ready_(std::move(on_ready)) {
  SSL_set_bio(ssl_.get(), from_network_, to_network_);
  plain_ = make_tcp_stream(loop, std::move(socket), peer, *this);
  if (SSL_is_server(ssl_.get()) == 0) {
    SSL_do_handshake(ssl_.get());
    ERR_clear_error();
    send_records();
  }
}

TlsStream::~TlsStream() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void TlsStream::send_records() {
  std::array<char, 16384> buffer;
  while (true) {
    const int count = BIO_read(to_network_, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) return;
    plain_->write(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
  }
}

void TlsStream::write(std::string_view data) {
  if (closed_ || shutdown_wanted_ || close_wanted_ || data.empty()) return;
  if (!ready_) {
    pending_.append(data);
    return;
  }
  encrypt(data);
}

void TlsStream::encrypt(std::string_view data) {
  while (!data.empty()) {
    const int chunk = static_cast<int>(std::min<std::size_t>(data.size(), 16384));
    const int count = SSL_write(ssl_.get(), data.data(), chunk);
    if (count <= 0) {
      const std::string reason = openssl_reason();
      fail_timer_ = loop_.after(Duration::zero(), [this, reason] { fail(reason); });
      return;
    }
    data.remove_prefix(static_cast<std::size_t>(count));
    send_records();
  }
}

void TlsStream::on_data(ByteStream& /*stream*/, std::string_view data) {
  BIO_write(from_network_, data.data(), static_cast<int>(data.size()));
  if (!ready_ && !advance_handshake()) return;
  if (ready_ && !closed_) deliver();
}

bool TlsStream::advance_handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  const int error = SSL_get_error(ssl_.get(), result);
  send_records();  // an alert, too
  if (result != 1) {
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
    const long verified = SSL_get_verify_result(ssl_.get());
    std::string reason = openssl_reason();
    if (verified != X509_V_OK && SSL_is_server(ssl_.get()) == 0)
      reason = X509_verify_cert_error_string(verified);
    fail(std::move(reason));
    return false;
  }
  ready_ = true;
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  if (on_ready_) {
    bool destroyed = false;
    destroyed_ = &destroyed;
    on_ready_(std::string_view(reinterpret_cast<const char*>(name), length));
    if (destroyed) return false;
    destroyed_ = nullptr;
  }
  if (!pending_.empty()) encrypt(std::exchange(pending_, {}));
  if (shutdown_wanted_ || close_wanted_) finish_writing();
  return true;
}

bool TlsStream::deliver() {
  const std::span<char> buffer = loop_.read_buffer();  // the received bytes are in the BIO by now
  while (reading_ && !closed_ && !end_seen_) {
    ERR_clear_error();
    std::size_t filled = 0;
    int count = 0;
    while (filled + 16384 <= buffer.size() &&
           (count = SSL_read(ssl_.get(), buffer.data() + filled,
                             static_cast<int>(buffer.size() - filled))) > 0) {
      filled += static_cast<std::size_t>(count);
    }
    const int error = count > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), count);
    const std::string reason = error == SSL_ERROR_SSL ? openssl_reason() : std::string();
    send_records();
    bool destroyed = false;
    bool* const outer = std::exchange(destroyed_, &destroyed);
    if (filled > 0 && !close_wanted_)
      owner_.on_data(*this, std::string_view(buffer.data(), filled));
    if (!destroyed && error == SSL_ERROR_ZERO_RETURN && !closed_) {
      end_seen_ = true;
      if (!close_wanted_) owner_.on_end(*this);
    }
    if (!destroyed && error == SSL_ERROR_SSL) fail(reason);
    if (destroyed) {
      if (outer != nullptr) *outer = true;
      return false;
    }
    destroyed_ = outer;
    if (error != SSL_ERROR_NONE) return true;
  }
  return true;
}

void TlsStream::on_end(ByteStream& /*stream*/) {
  if (end_seen_) return;  // the peer's FIN after its close_notify
  plain_->abort();
  closed_ = true;
  owner_.on_closed(*this, ECONNRESET,
                   ready_ ? "the peer closed the connection without ending the TLS session"
                          : "the peer closed the connection during the TLS handshake");
}

void TlsStream::on_closed(ByteStream& /*stream*/, int error, std::string_view reason) {
  closed_ = true;
  owner_.on_closed(*this, error, reason);
}

void TlsStream::on_high_water(ByteStream& /*stream*/) {
  owner_.on_high_water(*this);
}

void TlsStream::on_low_water(ByteStream& /*stream*/) {
  owner_.on_low_water(*this);
}

void TlsStream::fail(std::string reason) {
  if (closed_) return;
  closed_ = true;
  plain_->pause_reading();
  // The alert that says why still goes out.
  fail_timer_ = loop_.after(std::chrono::milliseconds(1), [this, reason = std::move(reason)] {
    plain_->abort();
    owner_.on_closed(*this, EPROTO, reason);
  });
}

void TlsStream::finish_writing() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  send_records();
  if (close_wanted_) {
    plain_->close();
  } else {
    plain_->shutdown_write();
  }
}

void TlsStream::shutdown_write() {
  if (closed_ || shutdown_wanted_) return;
  shutdown_wanted_ = true;
  if (ready_) finish_writing();
}

void TlsStream::close() {
  if (closed_ || close_wanted_) return;
  close_wanted_ = true;
  if (ready_ || pending_.empty()) finish_writing();
}

void TlsStream::abort() {
  closed_ = true;
  fail_timer_.reset();
  resume_timer_.reset();
  plain_->abort();
}

void TlsStream::pause_reading() {
  reading_ = false;
  plain_->pause_reading();
}

void TlsStream::resume_reading() {
  if (reading_ || closed_) return;
  reading_ = true;
  plain_->resume_reading();
  // What OpenSSL holds already would wait for the next bytes from the network.
  resume_timer_ = loop_.after(Duration::zero(), [this] {
    if (ready_ && !closed_) deliver();
  });
}

}  // namespace netkit
