#include <utility>

#include <netkit/datagram/socket_driver.hpp>

namespace netkit::datagram {

namespace {

constexpr int kRoundsPerTurn = 16;  // of drain() and sending; then others have their turn

}  // namespace

SocketDriver::SocketDriver(EventLoop& loop, std::vector<UdpSocket> sockets, Engine& engine)
    : loop_(loop),
      engine_(engine),
      sockets_(loop, std::move(sockets), static_cast<SocketSet::Handler&>(*this)),
      hook_(loop.before_wait([this] { end_turn(); })) {}

void SocketDriver::on_datagram(const Endpoint& from, std::string_view datagram) {
  engine_.on_datagram(from, datagram, loop_.now());
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
  if (sockets_.blocked() && !sockets_.flush()) return false;
  more_ = true;
  for (int round = 0; round < kRoundsPerTurn && more_; ++round) {
    queue_.clear();
    more_ = engine_.drain(queue_, loop_.now());
    for (const OutputQueue::Item& item : queue_.items()) {
      sockets_.add(item.to, item.head, item.body);
    }
    if (!sockets_.flush()) return false;
  }
  queue_.clear();
  return !more_;
}

void SocketDriver::set_timer() {
  const TimePoint due = more_ && !sockets_.blocked() ? loop_.now() : engine_.next_deadline();
  if (due == due_ && (timer_.pending() || due == TimePoint::max())) return;
  due_ = due;
  timer_.reset();
  if (due != TimePoint::max()) timer_ = loop_.at(due, [this] { on_due(); });
}

}  // namespace netkit::datagram
