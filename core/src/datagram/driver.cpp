#include "datagram/wire.hpp"

#include <utility>

#include <netkit/datagram/driver.hpp>

namespace netkit::datagram {

namespace {

constexpr int kLastRounds = 1024;  // that a run's last words may take

template <typename Options>
Options with_names(Options options) {
  options.describe = describe;
  return options;
}

std::vector<UdpSocket> with_ecn(std::vector<UdpSocket> sockets) {
  for (UdpSocket& socket : sockets) socket.report_ecn();
  return sockets;
}

UdpClient::Options with_ecn(UdpClient::Options options) {
  options.socket.ecn = true;
  return options;
}

}  // namespace

Driver::Driver(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
               UdpServer::Options options)
    : loop_(loop),
      handler_(handler),
      server_(std::in_place, loop, with_ecn(std::move(sockets)),
              static_cast<UdpServer::Handler&>(*this), with_names(std::move(options))),
      sockets_(*server_),
      hook_(loop.before_wait([this] { send_round(); })) {}

Driver::Driver(EventLoop& loop, std::vector<Endpoint> server, Handler& handler,
               UdpClient::Options options)
    : loop_(loop),
      handler_(handler),
      client_(std::in_place, loop, std::move(server), static_cast<UdpClient::Handler&>(*this),
              with_ecn(with_names(std::move(options)))),
      sockets_(*client_),
      hook_(loop.before_wait([this] { send_round(); })) {}

Driver::~Driver() = default;

void Driver::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  Path path(*from.peer, server_->source_of(from));
  path.ecn = from.ecn;
  handler_.on_datagram(path, datagram, loop_.now());
}

void Driver::on_datagram(std::string_view datagram) {
  Path path(peer());
  path.ecn = client_->ecn();
  handler_.on_datagram(path, datagram, loop_.now());
}

void Driver::on_next_address(int /*error*/) {
  handler_.on_next_address(loop_.now());
  more_ = true;  // what it has to say to this one
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
  if (client_ && !queue_.empty()) client_->renew_if_silent();
  for (const OutputQueue::Item& item : queue_.items()) {
    sockets_.send(client_ ? peer() : item.to->peer, item.head, item.body, item.to->local, item.ect);
  }
  if (!sockets_.flush()) return false;
  queue_.clear();
  return true;
}

void Driver::show(Totals& totals, const Counters& native) const {
  const DatagramSenderCounters sent = sockets_.sent();
  totals.add("datagrams_in", native.datagrams_in);
  totals.add("datagrams_out", sent.datagrams);
  totals.add("bytes_out", sent.bytes);
  totals.add("retransmitted", native.retransmitted);
  totals.add("bad_cookies", native.bad_cookies);
  totals.add("malformed", native.malformed);
  totals.add("dropped_memory", native.no_memory);
  totals.add("unsendable", sent.refused + sent.too_big + sent.no_room);
  totals.add("kernel_drops", sockets_.kernel_drops());
}

void Driver::set_timer() {
  const TimePoint due = more_ && !sockets_.blocked() ? loop_.now() : handler_.next_deadline();
  if (due == due_ && (timer_.pending() || due == TimePoint::max())) return;
  due_ = due;
  timer_.reset();
  if (due != TimePoint::max()) timer_ = loop_.at(due, [this] { on_due(); });
}

}  // namespace netkit::datagram
