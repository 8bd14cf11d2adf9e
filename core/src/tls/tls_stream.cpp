#include "tls/tls_stream.hpp"

#include <cerrno>
#include <span>
#include <utility>

#include <openssl/err.h>

#include <netkit/net/needs_key.hpp>

namespace netkit::tls {
namespace {

// This much is encrypted before it is given to the kernel: few system calls, no second copy of a
// large write.
constexpr std::size_t kEncryptAtOnce = std::size_t{64} * 1024;
// Of what OpenSSL answers by itself, which no water mark holds back: a peer that requests new keys
// over and over, and does not read, can make it queue this much.
constexpr std::size_t kMostAnswers = std::size_t{64} * 1024;

}  // namespace

TlsStream::TlsStream(EventLoop& loop, SslPtr ssl, FileDescriptor socket, const Endpoint& peer,
                     ByteStream::Handler& handler, std::string wanted, OnReady on_ready)
    : loop_(loop),
      handler_(handler),
      ssl_(std::move(ssl)),
      wanted_(std::move(wanted)),
      on_ready_(std::move(on_ready)),
      below_(make_tcp_stream(loop, std::move(socket), peer, *this)) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_app_data(ssl_.get(), &noted_);
  shake_hands();  // a client's first words; no callback is made from here
}

void TlsStream::on_data(ByteStream& /*stream*/, std::string_view data) {
  if (over() || ended_) return;  // nothing counts after close_notify
  BIO_write(SSL_get_rbio(ssl_.get()), data.data(), static_cast<int>(data.size()));
  if (state_ == State::handshake && !shake_hands()) return;
  if (state_ == State::open) read_on();
}

// Returns false when the stream is gone.
bool TlsStream::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    flush();
    return become_ready();
  }
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) {
    flush();
  } else {
    Reason reason = take_reason(ssl_.get(), wanted_);
    if (reason.needs_key) below_->write(kNeedsKeyAlert);
    fail(EPROTO, std::move(reason));
  }
  return true;
}

bool TlsStream::become_ready() {
  state_ = State::open;
  if (!reading_) below_->pause_reading();
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_size);
  const std::string protocol(reinterpret_cast<const char*>(alpn), alpn_size);
  encrypt(std::exchange(waiting_, {}));
  if (state_ == State::open && on_ready_ &&
      !survival_.of([this, &protocol] { std::exchange(on_ready_, nullptr)(protocol); })) {
    return false;
  }
  if (state_ != State::open) return true;
  if (close_wanted_) {
    close();
    return true;
  }
  if (shutdown_wanted_) send_end();
  if (!above_high_ || below_->queued() > high_) return true;
  above_high_ = false;
  return survival_.of([this] { handler_.on_low_water(*this); });
}

// Decrypts and passes on whatever has come, as many records at a time as the loop's buffer holds.
void TlsStream::read_on() {
  const std::span<char> buffer = loop_.read_buffer();
  while (reading_ && !ended_ && state_ == State::open) {
    std::size_t filled = 0;
    int status = SSL_ERROR_NONE;
    Reason reason;
    ERR_clear_error();
    while (filled < buffer.size() && status == SSL_ERROR_NONE) {
      std::size_t got = 0;
      const int result =
          SSL_read_ex(ssl_.get(), buffer.data() + filled, buffer.size() - filled, &got);
      if (result == 1) {
        filled += got;
      } else {
        status = SSL_get_error(ssl_.get(), result);
      }
    }
    if (status != SSL_ERROR_NONE && status != SSL_ERROR_WANT_READ &&
        status != SSL_ERROR_ZERO_RETURN)
      reason = take_reason(ssl_.get(), wanted_);
    if (!flush_answers()) {
      return fail(EPROTO, {StreamFault::protocol, "the peer requests new keys, but does not read"});
    }
    if (filled > 0 && !deliver({buffer.data(), filled})) return;
    if (state_ != State::open || status == SSL_ERROR_NONE) continue;
    if (status == SSL_ERROR_WANT_READ) return;
    if (status != SSL_ERROR_ZERO_RETURN) return fail(EPROTO, std::move(reason));
    // A pause that came with the last data holds the end back too.
    if (reading_) return end_reading();
  }
}

bool TlsStream::deliver(std::string_view data) {
  return survival_.of([this, data] { handler_.on_data(*this, data); });
}

void TlsStream::end_reading() {
  ended_ = true;
  handler_.on_end(*this);
}

void TlsStream::on_end(ByteStream& /*stream*/) {
  if (over() || ended_) return;
  if (state_ == State::handshake) {
    fail(EPROTO,
         {StreamFault::protocol, "the peer closed the connection during the TLS handshake"});
  } else {
    fail(ECONNRESET, {StreamFault::none, "the peer closed the connection without ending TLS"});
  }
}

void TlsStream::on_closed(ByteStream& /*stream*/, int error, std::string_view reason) {
  const bool in_handshake = state_ == State::handshake;
  state_ = State::closed;
  timer_.reset();
  if (error_ != 0) {
    error = error_;
    reason = reason_.text;
  } else if (only_goodbye_left_) {
    error = 0;  // both sides had said all; a peer need not wait for our close_notify
    reason = {};
  } else if (error != 0 && in_handshake) {
    reason = "the connection failed during the TLS handshake";
  }
  handler_.on_closed(*this, error, reason);
}

void TlsStream::on_low_water(ByteStream& /*stream*/) {
  if (std::exchange(above_high_, false) && !over()) handler_.on_low_water(*this);
}

void TlsStream::write(std::string_view data) {
  if (over() || shutdown_wanted_ || close_wanted_ || data.empty()) return;
  if (state_ == State::open) {
    encrypt(data);
  } else {
    waiting_.append(data);
  }
  // Told from here and not when the stream below says so: its owner may destroy this stream in the
  // callback, which must therefore be the last thing that happens.
  if (over() || above_high_ || queued() <= high_) return;
  above_high_ = true;
  handler_.on_high_water(*this);
}

void TlsStream::encrypt(std::string_view data) {
  while (!data.empty() && !over()) {
    const std::string_view part = data.substr(0, kEncryptAtOnce);
    std::size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), part.data(), part.size(), &written) != 1) {
      return fail(EPROTO, take_reason(ssl_.get(), wanted_));
    }
    data.remove_prefix(written);
    flush();
  }
}

// Gives what is encrypted to the stream below; says how much that was.
std::size_t TlsStream::flush() {
  char* data = nullptr;
  BIO* const bio = SSL_get_wbio(ssl_.get());
  const long size = BIO_get_mem_data(bio, &data);
  if (size <= 0) return 0;
  below_->write(std::string_view(data, static_cast<std::size_t>(size)));
  BIO_reset(bio);
  return static_cast<std::size_t>(size);
}

// False when too much of it waits for the peer.
bool TlsStream::flush_answers() {
  const std::size_t size = flush();
  answers_ = below_->queued() == 0 ? 0 : answers_ + size;
  return answers_ <= kMostAnswers;
}

void TlsStream::say_goodbye() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  flush();
}

void TlsStream::send_end() {
  say_goodbye();
  below_->shutdown_write();
}

void TlsStream::shutdown_write() {
  if (over() || std::exchange(shutdown_wanted_, true)) return;
  if (state_ == State::open) send_end();
}

void TlsStream::close() {
  if (over()) return;
  if (state_ == State::handshake && !waiting_.empty()) {
    close_wanted_ = true;  // what waits is still sent
    return;
  }
  if (state_ == State::open && !shutdown_wanted_) {
    only_goodbye_left_ = ended_ && below_->queued() == 0;
    say_goodbye();
  }
  state_ = State::closing;
  below_->close();
}

void TlsStream::abort() {
  state_ = State::closed;
  timer_.reset();
  waiting_.clear();
  below_->abort();
}

void TlsStream::fail(int error, Reason reason) {
  if (over()) return;
  error_ = error;
  reason_ = std::move(reason);
  flush();  // the alert, which tells the peer why
  state_ = State::closing;
  waiting_.clear();
  if (below_->queued() == 0) return below_->close();
  // A peer that does not read must not hold the connection open.
  below_->abort();
  timer_ = loop_.after(Duration::zero(), [this] { on_closed(*below_, error_, {}); });
}

void TlsStream::pause_reading() {
  reading_ = false;
  // The handshake goes on; become_ready() pauses then.
  if (state_ != State::handshake) below_->pause_reading();
}

void TlsStream::resume_reading() {
  if (std::exchange(reading_, true) || state_ != State::open) return;
  // What has been received already comes first, and no event of the socket would tell of it.
  timer_ = loop_.after(Duration::zero(), [this] {
    if (survival_.of([this] { read_on(); }) && reading_ && !over()) below_->resume_reading();
  });
}

std::size_t TlsStream::queued() const {
  return waiting_.size() + below_->queued();
}

void TlsStream::set_water_marks(std::size_t low, std::size_t high) {
  high_ = high;
  below_->set_water_marks(low, high);
}

}  // namespace netkit::tls
