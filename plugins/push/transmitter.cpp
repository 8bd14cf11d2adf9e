#include <push/transmitter.hpp>
#include <push/unreachable.hpp>
#include <utility>

namespace netkit::push {

namespace {

constexpr std::size_t kBatch = 64;       // datagrams a system call
constexpr std::size_t kCapacity = 2048;  // bytes: a native datagram or a name
constexpr int kBatchesPerTurn = 16;      // then timers and other sockets have their turn

}  // namespace

Transmitter::Transmitter(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler)
    : handler_(handler), receiver_(kBatch, kCapacity) {
  for (UdpSocket& socket : sockets) {
    report_unreachable(socket);
    auto port = std::make_unique<Port>();
    Port& made = *port;
    made.socket = std::move(socket);
    made.local = made.socket.local();
    made.sender = DatagramSender({.max_queue = 4 * kQueue});
    made.sender.on_refused(
        [this](const Endpoint& to, int error) { handler_.on_not_sent(to, error); });
    made.watch = loop.watch(made.socket.fd(), Interest::read,
                            [this, &made](Ready ready) { on_ready(made, ready); });
    ports_.push_back(std::move(port));
  }
}

Transmitter::~Transmitter() = default;

Transmitter::Port& Transmitter::port_for(const Endpoint& to) {
  for (const auto& port : ports_) {
    if (port->local.is_v4() == to.is_v4()) return *port;
  }
  return *ports_.front();
}

void Transmitter::add(const Endpoint& to, std::string_view head, std::string_view body) {
  port_for(to).sender.add(to, head, body);
  ++queued_;
}

bool Transmitter::flush() {
  blocked_ = false;
  for (const auto& port : ports_) {
    port->left = port->sender.flush(port->socket) > 0;
    port->watch.set(port->left ? Interest::both : Interest::read);
    blocked_ = blocked_ || port->left;
  }
  if (!blocked_) queued_ = 0;
  return !blocked_;
}

void Transmitter::on_ready(Port& port, Ready ready) {
  if (ready.error) {
    read_unreachable(port.socket, [this](const Endpoint& to) { handler_.on_unreachable(to); });
  }
  if (ready.readable) read(port);
  if (ready.writable && port.left && flush()) handler_.on_unblocked();
}

void Transmitter::read(Port& port) {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    const DatagramReceiver::Result result = receiver_.receive(port.socket);
    for (const ReceivedMessage& message : result.messages) {
      if (!message.truncated) handler_.on_datagram(*message.peer, message.data);
    }
    if (result.messages.size() < kBatch) break;
  }
  handler_.on_read_done();
}

DatagramSenderCounters Transmitter::counters() const {
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

bool Transmitter::has_port(std::uint16_t number) const {
  for (const auto& port : ports_) {
    if (port->local.port() == number) return true;
  }
  return false;
}

}  // namespace netkit::push
