#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include <netkit/datagram/socket_driver.hpp>

namespace netkit::datagram {

namespace {

constexpr std::size_t kBatch = 64;  // messages a system call
constexpr int kBatchesPerTurn = 8;  // then timers and other descriptors have their turn

constexpr int kRoundsPerTurn = 16;  // of drain() and sending, likewise

bool is_peer_error(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH;
}

}  // namespace

SocketDriver::SocketDriver(EventLoop& loop, std::vector<UdpSocket> sockets, Engine& engine)
    : loop_(loop),
      engine_(engine),
      sockets_(std::move(sockets)),
      receiver_(kBatch),
      sender_({.group = false, .max_queue = 1u << 16}) {
  sender_.on_refused([this](const Endpoint& to, int error) { engine_.on_refused(to, error); });
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    families_.push_back(sockets_[i].local().family());
    watches_.push_back(loop_.watch(sockets_[i].fd(), Interest::read,
                                   [this, i](Ready ready) { on_ready(i, ready); }));
  }
  hook_ = loop_.before_wait([this] { end_turn(); });
}

void SocketDriver::on_ready(std::size_t index, Ready ready) {
  if (ready.writable && watches_[index].interest() == Interest::both) {
    watches_[index].set(Interest::read);  // end_turn() goes on sending
  }
  if (ready.readable) read(sockets_[index]);
}

void SocketDriver::read(UdpSocket& socket) {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    const DatagramReceiver::Result result = receiver_.receive(socket);
    for (const ReceivedMessage& message : result.messages) {
      truncated_ += message.truncated ? 1 : 0;
      for_each_datagram(message, [&](std::string_view datagram) {
        engine_.on_datagram(*message.peer, datagram, loop_.now());
      });
    }
    if (is_peer_error(result.error)) engine_.on_refused(Endpoint(), result.error);
    if (result.messages.size() < kBatch) return;
  }
}

// By a timer, not at the end of the turn: what it prints is to go out in this turn.
void SocketDriver::on_due() {
  if (engine_.next_deadline() <= loop_.now()) engine_.tick(loop_.now());
}

void SocketDriver::end_turn() {
  flush();
  set_timer();
}

bool SocketDriver::flush() {
  more_ = true;
  for (int round = 0; round < kRoundsPerTurn && more_; ++round) {
    if (has_queue_ && !send_queued()) return false;
    more_ = engine_.drain(queue_, loop_.now());
    has_queue_ = !queue_.empty();
    if (has_queue_ && !send_queued()) return false;
  }
  return !more_;
}

// The parts of the queue, one socket after the other. What would block stays in the sender.
bool SocketDriver::send_queued() {
  for (; sending_ < sockets_.size(); ++sending_) {
    if (!send_family(sending_)) return false;
  }
  sending_ = 0;
  queue_.clear();
  has_queue_ = false;
  return true;
}

bool SocketDriver::send_family(std::size_t index) {
  UdpSocket& socket = sockets_[index];
  if (!std::exchange(in_sender_, true)) {
    const bool only = sockets_.size() == 1;
    for (const OutputQueue::Item& item : queue_.items()) {
      if (only || item.to.family() == families_[index]) sender_.add(item.to, item.head, item.body);
    }
  }
  if (sender_.flush(socket) > 0) {
    watches_[index].set(Interest::both);
    return false;
  }
  in_sender_ = false;
  return true;
}

void SocketDriver::set_timer() {
  const bool blocked = has_queue_;
  const TimePoint due = more_ && !blocked ? loop_.now() : engine_.next_deadline();
  if (due == due_ && (timer_.pending() || due == TimePoint::max())) return;
  due_ = due;
  timer_.reset();
  if (due != TimePoint::max()) timer_ = loop_.at(due, [this] { on_due(); });
}

}  // namespace netkit::datagram
