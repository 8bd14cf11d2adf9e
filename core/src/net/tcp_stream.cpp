#include "net/tcp_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <new>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include <netkit/net/server_sockets.hpp>

namespace netkit {
namespace {

// What the header promises of an idle connection, with the loop's slot and the allocator's share.
static_assert(sizeof(TcpStream) <= 152);

constexpr int kReadsPerTurn = 4;  // so that one fast peer does not keep the others waiting
constexpr std::size_t kPiecesPerWrite = 64;

}  // namespace

TcpStream::TcpStream(EventLoop& loop, FileDescriptor socket, const Endpoint& peer, Handler& handler)
    : loop_(loop), handler_(handler), socket_(std::move(socket)), peer_(peer) {
  watch_ = loop_.watch(socket_.get(), Interest::read, [this](Ready ready) { on_ready(ready); });
}

// If memory runs out while a peer's data is handled, part of it is lost: the connection ends, its
// owner continues.
void TcpStream::on_ready(Ready ready) {
  bool out_of_memory = false;
  const bool here = survival_.of([&] {
    try {
      send_and_receive(ready);
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  });
  if (!out_of_memory) return;
  loop_.out_of_memory();
  if (here && state_ != State::closed) fail(ENOMEM);
}

void TcpStream::send_and_receive(Ready ready) {
  if (ready.writable && !send_queued()) return;
  if (ready.readable && state_ != State::closed) receive();
}

void TcpStream::receive() {
  const std::span<char> buffer = loop_.read_buffer();
  for (int reads = 0; reads < kReadsPerTurn && reading_ && !ended_ && state_ != State::closed;
       ++reads) {
    const ssize_t count = read_some(socket_.get(), buffer);
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      fail(errno);
      return;
    }
    if (count == 0) {
      ended_ = true;
      update_interest();
      if (state_ == State::closing) return;  // what is queued still goes out
      handler_.on_end(*this);
      return;
    }
    // After close() further data of the peer is read and dropped, so that the kernel does not
    // answer it with RST.
    if (state_ == State::closing) continue;
    const std::string_view data(buffer.data(), static_cast<std::size_t>(count));
    if (!survival_.of([&] { handler_.on_data(*this, data); })) return;
    if (static_cast<std::size_t>(count) < buffer.size()) return;
  }
}

ssize_t TcpStream::read_some(int fd, std::span<char> buffer) {
  return ::recv(fd, buffer.data(), buffer.size(), 0);
}

ssize_t TcpStream::write_some(int fd, std::span<iovec> pieces) {
  // The common case, and cheaper for the kernel.
  if (pieces.size() == 1) {
    return ::send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t TcpStream::send_now(std::string_view data) {
  iovec piece{const_cast<char*>(data.data()), data.size()};
  const ssize_t count = write_some(socket_.get(), {&piece, 1});
  if (count >= 0) return count;
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return 0;
  return -errno;
}

std::size_t TcpStream::write_through(std::string_view data) {
  if (state_ != State::open || shutdown_wanted_ || data.empty()) return data.size();
  if (queue_ && !queue_->pieces.empty()) return 0;
  const ssize_t sent = send_now(data);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  fail_later(static_cast<int>(-sent));
  return data.size();
}

void TcpStream::write(std::string_view data) {
  const std::size_t sent = write_through(data);
  if (sent == data.size()) return;
  data.remove_prefix(sent);
  Queue& queue = make_queue();
  // Small writes share a piece; a piece that grew large is left alone, so that growth never copies
  // much.
  if (!queue.pieces.empty() && !queue.pieces.back().shared &&
      queue.pieces.back().own.size() + data.size() <= 16384) {
    queue.pieces.back().own.append(data);
  } else {
    queue.pieces.push_back({std::string(data), nullptr});
  }
  enqueued(data.size());
}

void TcpStream::write(const SharedPayload& payload) {
  const std::size_t sent = write_through(*payload);
  if (sent == payload->size()) return;
  Queue& queue = make_queue();
  if (queue.pieces.empty()) queue.offset = sent;
  queue.pieces.push_back({{}, payload});
  enqueued(payload->size() - sent);
}

TcpStream::Queue& TcpStream::make_queue() {
  if (!queue_) queue_ = std::make_unique<Queue>();
  return *queue_;
}

void TcpStream::enqueued(std::size_t size) {
  queue_->size += size;
  update_interest();
  if (queue_->above_high || queue_->size <= high_) return;
  queue_->above_high = true;
  handler_.on_high_water(*this);
}

// Returns false when the stream is gone.
bool TcpStream::send_queued() {
  while (queue_ && !queue_->pieces.empty()) {
    std::array<iovec, kPiecesPerWrite> pieces{};
    std::size_t count = 0;
    for (const Piece& piece : queue_->pieces) {
      if (count == pieces.size()) break;
      std::string_view view = piece.view();
      if (count == 0) view.remove_prefix(queue_->offset);
      pieces[count++] = {const_cast<char*>(view.data()), view.size()};
    }
    const ssize_t sent = write_some(socket_.get(), {pieces.data(), count});
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) break;
      return survival_.of([&, error = errno] { fail(error); });
    }
    drop_sent(static_cast<std::size_t>(sent));
  }
  return after_sending();
}

void TcpStream::drop_sent(std::size_t sent) {
  queue_->size -= sent;
  sent += queue_->offset;
  while (!queue_->pieces.empty() && sent >= queue_->pieces.front().view().size()) {
    sent -= queue_->pieces.front().view().size();
    queue_->pieces.pop_front();
  }
  queue_->offset = sent;
}

bool TcpStream::after_sending() {
  const bool drained = queue_ && queue_->above_high && queue_->size <= low_;
  if (drained) queue_->above_high = false;
  if (queue_ && queue_->pieces.empty()) queue_.reset();
  update_interest();
  if (queued() == 0) {
    if (state_ == State::closing) return survival_.of([&] { finish_close(); });
    if (shutdown_wanted_) do_shutdown();
  }
  return !drained || state_ != State::open || survival_.of([&] { handler_.on_low_water(*this); });
}

void TcpStream::shutdown_write() {
  if (state_ != State::open || shutdown_wanted_) return;
  shutdown_wanted_ = true;
  if (queued() == 0) do_shutdown();
}

void TcpStream::do_shutdown() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void TcpStream::close() {
  if (state_ != State::open) return;
  state_ = State::closing;
  reading_ = true;  // a peer that cannot get rid of what it says may not take the rest
  update_interest();
  if (queued() > 0) return;
  // Not from here: on_closed() must not run inside the call that asked for it.
  close_timer_ = loop_.after(Duration::zero(), [this] { finish_close(); });
}

// The kernel answers the closing of a socket that holds unread bytes with RST, and RST takes from
// the peer what it has not read yet: the last data sent to it.
void TcpStream::discard_unread() {
  ::shutdown(socket_.get(), SHUT_WR);
  const std::span<char> buffer = loop_.read_buffer();
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    if (::recv(socket_.get(), buffer.data(), buffer.size(), 0) <= 0) return;
  }
}

void TcpStream::finish_close() {
  if (!ended_) discard_unread();
  release();
  handler_.on_closed(*this, 0, {});
}

void TcpStream::abort() {
  release();
}

void close_by_reset(int fd) {
  constexpr linger kAtOnce{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &kAtOnce, sizeof kAtOnce);
}

void TcpStream::reset() {
  close_by_reset(socket_.get());
  release();
}

void TcpStream::release() {
  state_ = State::closed;
  close_timer_.reset();
  watch_.reset();
  socket_.reset();
  queue_.reset();
}

void TcpStream::fail(int error) {
  release();
  handler_.on_closed(*this, error, {});
}

void TcpStream::fail_later(int error) {
  state_ = State::closing;
  queue_.reset();
  watch_.set(Interest::none);
  close_timer_ = loop_.after(Duration::zero(), [this, error] { fail(error); });
}

void TcpStream::update_interest() {
  if (state_ == State::closed) return;
  const bool read = reading_ && !ended_;
  const bool write = queued() > 0;
  watch_.set(static_cast<Interest>((read ? 1 : 0) | (write ? 2 : 0)));
}

void TcpStream::pause_reading() {
  reading_ = false;
  update_interest();
}

void TcpStream::resume_reading() {
  reading_ = true;
  update_interest();
}

std::size_t TcpStream::queued() const {
  return queue_ ? queue_->size : 0;
}

void TcpStream::set_water_marks(std::size_t low, std::size_t high) {
  low_ = low;
  high_ = high;
}

Endpoint TcpStream::local() const {
  return socket_ ? local_endpoint(socket_.get()) : Endpoint();
}

void ByteStream::Handler::on_end(ByteStream& stream) {
  stream.close();
}

void ByteStream::Handler::on_high_water(ByteStream& /*stream*/) {}

void ByteStream::Handler::on_low_water(ByteStream& /*stream*/) {}

std::unique_ptr<ByteStream> make_tcp_stream(EventLoop& loop, FileDescriptor socket,
                                            const Endpoint& peer, ByteStream::Handler& handler) {
  return std::make_unique<TcpStream>(loop, std::move(socket), peer, handler);
}

int apply(const TcpOptions& options, int fd) {
  const auto set = [fd](int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
  };
  const auto seconds = [](Duration duration) {
    return static_cast<int>(
        std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
  };
  int error = set(IPPROTO_TCP, TCP_NODELAY, options.no_delay ? 1 : 0);
  if (options.keepalive) {
    if (error == 0) error = set(SOL_SOCKET, SO_KEEPALIVE, 1);
    if (error == 0) error = set(IPPROTO_TCP, TCP_KEEPIDLE, seconds(options.keepalive_idle));
    if (error == 0) error = set(IPPROTO_TCP, TCP_KEEPINTVL, seconds(options.keepalive_idle / 3));
    if (error == 0) error = set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  }
  if (options.user_timeout != kNever && error == 0) {
    error = set(IPPROTO_TCP, TCP_USER_TIMEOUT,
                static_cast<int>(
                    std::chrono::ceil<std::chrono::milliseconds>(options.user_timeout).count()));
  }
  return error;
}

}  // namespace netkit
