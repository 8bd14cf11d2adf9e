#include <utility>

#include <netkit/datagram/socket_driver.hpp>

namespace netkit::datagram {

namespace {

constexpr int kLastRounds = 64;  // of what a run's last words may take

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

// One round, then others have their turn: what is answered to this one, first of all.
void SocketDriver::end_turn() {
  send_round();
  set_timer();
}

bool SocketDriver::flush() {
  more_ = true;
  for (int round = 0; round < kLastRounds && more_; ++round) {
    if (!send_round()) return false;
  }
  return !more_;
}

bool SocketDriver::send_round() {
  if (sockets_.blocked() && !sockets_.flush()) return false;
  queue_.clear();
  // Not the turn's time: were the rounds before to count as time that a peer takes to answer, much
  // would seem overdue.
  more_ = engine_.drain(queue_, loop_.refresh_now());
  for (const OutputQueue::Item& item : queue_.items()) {
    sockets_.add(item.to, item.head, item.body);
  }
  if (!sockets_.flush()) return false;
  queue_.clear();
  return true;
}

void SocketDriver::set_timer() {
  const TimePoint due = more_ && !sockets_.blocked() ? loop_.now() : engine_.next_deadline();
  if (due == due_ && (timer_.pending() || due == TimePoint::max())) return;
  due_ = due;
  timer_.reset();
  if (due != TimePoint::max()) timer_ = loop_.at(due, [this] { on_due(); });
}

}  // namespace netkit::datagram
