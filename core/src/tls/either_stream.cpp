#include "tls/either_stream.hpp"

#include <cerrno>
#include <new>
#include <sys/socket.h>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit::tls {
namespace {

constexpr unsigned char kHandshake = 22;  // the first byte of a ClientHello's record

}  // namespace

EitherStream::EitherStream(EventLoop& loop, FileDescriptor socket, const Endpoint& peer,
                           ByteStream::Handler& handler, MakeSecure make_secure, OnReady on_ready)
    : loop_(loop),
      handler_(handler),
      peer_(peer),
      make_secure_(std::move(make_secure)),
      on_ready_(std::move(on_ready)),
      socket_(std::move(socket)),
      first_(loop.watch(socket_.get(), Interest::read, [this](Ready) { on_first_byte(); })) {}

void EitherStream::on_first_byte() {
  unsigned char byte = 0;
  const ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got == 1 && byte == kHandshake) return speak_tls();
  // An end or an error is for the stream to find out.
  speak_in_clear();
  const OnReady ready = std::exchange(on_ready_, nullptr);
  ready({});  // which may destroy this
}

void EitherStream::speak_tls() {
  first_.reset();
  try {
    inner_ = make_secure_(std::move(socket_), std::exchange(on_ready_, nullptr));
  } catch (const Error& error) {
    return handler_.on_closed(*this, ENOMEM, error.what());
  } catch (const std::bad_alloc&) {
    loop_.out_of_memory();
    return handler_.on_closed(*this, ENOMEM, {});
  }
  if (high_ != 0) inner_->set_water_marks(low_, high_);
}

void EitherStream::speak_in_clear() {
  first_.reset();
  inner_ = make_tcp_stream(loop_, std::move(socket_), peer_, handler_);
  if (high_ != 0) inner_->set_water_marks(low_, high_);
}

ByteStream& EitherStream::either() {
  if (!inner_) speak_in_clear();
  return *inner_;
}

// Without a stream of its own: one cannot be made where memory has run out.
void EitherStream::abort() {
  if (inner_) return inner_->abort();
  first_.reset();
  socket_.reset();
}

void EitherStream::reset() {
  inner_ ? inner_->reset() : abort();
}

void EitherStream::set_water_marks(std::size_t low, std::size_t high) {
  low_ = low;
  high_ = high;
  if (inner_) inner_->set_water_marks(low, high);
}

}  // namespace netkit::tls
