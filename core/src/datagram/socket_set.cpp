#include "datagram/wire.hpp"
#include "net/unreachable.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <netkit/datagram/socket_set.hpp>
#include <netkit/net/wire_log.hpp>

namespace netkit::datagram {

namespace {

constexpr std::size_t kBatch = 64;   // messages a system call
constexpr int kBatchesPerTurn = 16;  // then timers and other sockets have their turn

// While a socket is watched every datagram that leaves it wakes the epoll set, only to find that
// nobody waits for room. From so many on it costs less to take it out and put it back.
constexpr std::size_t kManyDatagrams = 64;

bool is_peer_error(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH;
}

}  // namespace

SocketSet::SocketSet(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
                     const Options& options)
    : handler_(handler),
      reports_unreachable_(options.report_unreachable),
      receiver_(kBatch, options.capacity) {
  for (UdpSocket& socket : sockets) {
    if (reports_unreachable_) report_unreachable(socket);
    auto port = std::make_unique<Port>();
    Port& made = *port;
    made.socket = std::move(socket);
    made.local = made.socket.local();
    made.sender = DatagramSender({.max_queue = kQueue});
    made.sender.on_refused(
        [this](const Endpoint& to, int error) { handler_.on_not_sent(to, error); });
    made.watch = loop.watch(made.socket.fd(), Interest::read,
                            [this, &made](Ready ready) { on_ready(made, ready); });
    ports_.push_back(std::move(port));
  }
}

SocketSet::~SocketSet() = default;

SocketSet::Port& SocketSet::port_for(const Endpoint& to) {
  for (const auto& port : ports_) {
    if (port->local.family() == to.family()) return *port;
  }
  return *ports_.front();
}

void SocketSet::add(const Endpoint& to, std::string_view head, std::string_view body) {
  if (log_ != nullptr) log_sending(to, head, body);
  Port& port = port_for(to);
  port.sender.add(to, head, body);
  ++port.queued;
  ++queued_;
}

void SocketSet::log_sending(const Endpoint& to, std::string_view head,
                            std::string_view body) const {
  const std::string whole = std::string(head) + std::string(body);
  log_sent(*log_, to, whole, describe(whole));
}

void SocketSet::flush(Port& port) {
  if (port.queued == 0) return;
  if (port.queued >= kManyDatagrams) port.watch.set(Interest::none);
  port.left = port.sender.flush(port.socket) > 0;
  if (!port.left) port.queued = 0;
  port.watch.set(port.left ? Interest::both : Interest::read);
}

bool SocketSet::flush() {
  blocked_ = false;
  for (const auto& port : ports_) {
    flush(*port);
    blocked_ = blocked_ || port->left;
  }
  if (!blocked_) queued_ = 0;
  return !blocked_;
}

void SocketSet::on_ready(Port& port, Ready ready) {
  if (ready.error && reports_unreachable_) {
    read_unreachable(port.socket,
                     [this](const Endpoint& to) { handler_.on_unreachable(to, ECONNREFUSED); });
  }
  if (ready.readable) read(port);
  if (ready.writable && port.left && flush()) handler_.on_unblocked();
}

void SocketSet::read(Port& port) {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    const DatagramReceiver::Result result = receiver_.receive(port.socket);
    for (const ReceivedMessage& message : result.messages) {
      if (message.truncated) {
        ++truncated_;
        continue;
      }
      for_each_datagram(message, [&](std::string_view datagram) {
        if (log_ != nullptr) log_received(*log_, *message.peer, datagram, describe(datagram));
        handler_.on_datagram(*message.peer, datagram);
      });
    }
    if (is_peer_error(result.error) && port.socket.connected()) {
      handler_.on_unreachable(Endpoint(), result.error);
    }
    if (result.messages.size() < kBatch) return;
  }
}

DatagramSenderCounters SocketSet::sent() const {
  DatagramSenderCounters sum;
  for (const auto& port : ports_) {
    const DatagramSenderCounters& one = port->sender.counters();
    sum.datagrams += one.datagrams;
    sum.bytes += one.bytes;
    sum.system_calls += one.system_calls;
    sum.refused += one.refused;
    sum.no_room += one.no_room;
    sum.too_big += one.too_big;
    sum.interrupted += one.interrupted;
  }
  return sum;
}

bool SocketSet::has_port(std::uint16_t number) const {
  for (const auto& port : ports_) {
    if (port->local.port() == number) return true;
  }
  return false;
}

}  // namespace netkit::datagram
