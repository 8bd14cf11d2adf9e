#include <utility>

#include <netkit/datagram/driver.hpp>

namespace netkit::datagram {

namespace {

constexpr int kLastRounds = 1024;  // that a run's last words may take

}  // namespace

Driver::Driver(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
               const Options& options)
    : loop_(loop),
      handler_(handler),
      reports_unreachable_(options.report_unreachable),
      sockets_(loop, std::move(sockets), static_cast<SocketSet::Handler&>(*this), options),
      hook_(loop.before_wait([this] { send_round(); })) {}

void Driver::on_datagram(const Endpoint& from, std::string_view datagram) {
  handler_.on_datagram(from, datagram, loop_.now());
}

void Driver::on_unreachable(const Endpoint& to, int error) {
  if (reports_unreachable_) {
    handler_.on_unreachable(to);
  } else {
    handler_.on_refused(to, error);
  }
}

// By a timer, not at the end of the turn: what it prints is to go out in this turn.
void Driver::on_due() {
  if (handler_.next_deadline() <= loop_.now()) handler_.tick(loop_.now());
}

// One round, then others have their turn: what is answered to this one, first of all.
bool Driver::send_round() {
  const bool sent = drain_round();
  set_timer();
  return sent;
}

bool Driver::flush() {
  more_ = true;
  for (int round = 0; round < kLastRounds && more_; ++round) {
    if (!drain_round()) return false;
  }
  return !more_;
}

bool Driver::drain_round() {
  if (sockets_.blocked() && !sockets_.flush()) return false;
  queue_.clear();
  // Not the turn's time: were the rounds before to count as time that a peer takes to answer, much
  // would seem overdue.
  more_ = handler_.drain(queue_, loop_.refresh_now());
  for (const OutputQueue::Item& item : queue_.items()) {
    sockets_.add(item.to, item.head, item.body);
  }
  if (!sockets_.flush()) return false;
  queue_.clear();
  return true;
}

void Driver::set_timer() {
  const TimePoint due = more_ && !sockets_.blocked() ? loop_.now() : handler_.next_deadline();
  if (due == due_ && (timer_.pending() || due == TimePoint::max())) return;
  due_ = due;
  timer_.reset();
  if (due != TimePoint::max()) timer_ = loop_.at(due, [this] { on_due(); });
}

}  // namespace netkit::datagram
