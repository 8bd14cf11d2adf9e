#include "net/gather_policy.hpp"
#include "util/byte_arena.hpp"

#include <cerrno>
#include <ctime>
#include <string>
#include <sys/prctl.h>
#include <utility>

#include <netkit/net/peer_log.hpp>
#include <netkit/net/udp_sockets.hpp>

namespace netkit {
namespace {

constexpr std::size_t kBatch = 64;            // messages per system call
constexpr std::size_t kBacklog = kBatch / 4;  // after so many, more has come meanwhile
constexpr int kBatchesPerTurn = 16;           // then timers and other sockets have their turn
constexpr std::size_t kMostKept = 4u << 20;   // bytes of answers that a socket does not take

// While a socket is watched every datagram that leaves it wakes the epoll set, only to find that
// nobody waits for room. From so many on it costs less to take it out and put it back.
constexpr std::size_t kManyDatagrams = 64;

// What receiving from a connected socket reports of its peer; a datagram that was too long for the
// path says nothing about the peer.
bool is_about_the_peer(int error) {
  return error != 0 && error != EAGAIN && error != EMSGSIZE && error != ENOMEM && error != ENOBUFS;
}

// Shorter when a signal comes, which does no harm.
void sleep_for(Duration duration) {
  const timespec time{0, static_cast<long>(duration.count())};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace

// How long to sleep before the next batch.
class UdpSockets::Pace {
 public:
  explicit Pace(TimePoint now) : last_(now) {}

  void on_batch(std::size_t datagrams, TimePoint now) {
    const Duration pause = policy_.on_batch(datagrams, now - last_);
    // Of this thread: the kernel may otherwise lengthen each sleep by 50 us.
    if (pause > Duration::zero() && pause_ == Duration::zero()) ::prctl(PR_SET_TIMERSLACK, 1);
    pause_ = pause;
    last_ = now;
  }

  Duration pause() const { return pause_; }

 private:
  GatherPolicy policy_;
  Duration pause_{};
  TimePoint last_;
};

UdpSockets::UdpSockets(EventLoop& loop, std::vector<UdpSocket> sockets, const Options& options)
    : loop_(loop),
      options_(options),
      log_(options.log != nullptr && options.log->enabled(LogLevel::protocol) ? options.log
                                                                              : nullptr),
      receiver_(kBatch, options.capacity),
      kept_(std::make_unique<ByteArena>()) {
  if (options.gather) pace_ = std::make_unique<Pace>(loop.now());
  for (UdpSocket& socket : sockets) {
    auto port = std::make_unique<Port>();
    port->socket = std::move(socket);
    port->local = port->socket.local();
    port->sender = DatagramSender({.group = options.group, .max_queue = kQueue});
    port->sender.on_refused(
        [this](const Endpoint& to, int error) { not_sent_.emplace_back(to, error); });
    watch(*port);
    ports_.push_back(std::move(port));
  }
}

UdpSockets::~UdpSockets() = default;

void UdpSockets::watch(Port& port) {
  if (options_.report_unreachable) port.socket.report_unreachable();
  port.watch = loop_.watch(port.socket.fd(), Interest::read,
                           [this, &port](Ready ready) { on_ready(port, ready); });
}

void UdpSockets::replace(UdpSocket socket) {
  Port& port = first();
  port.watch.reset();
  port.sender.drop_queued();
  port.queued = queued_ = 0;
  port.left = blocked_ = answering_ = false;
  kept_->clear();
  port.socket = std::move(socket);
  port.local = port.socket.local();
  watch(port);
}

// One of each family as a rule; where several of one were passed, the one that has the address.
UdpSockets::Port& UdpSockets::port_for(const Endpoint& to, const IpAddress& source) const {
  Port* found = nullptr;
  for (const auto& port : ports_) {
    if (port->local.family() != to.family()) continue;
    if (found == nullptr || port->local.address() == source) found = port.get();
  }
  return found != nullptr ? *found : *ports_.front();
}

void UdpSockets::send(const Endpoint& to, std::string_view head, std::string_view body,
                      const DatagramSource& source, bool ect) {
  if (log_ != nullptr) log_sending(to, std::string(head).append(body));
  Port& port = port_for(to, source.address);
  port.sender.add(to, head, body, source, ect);
  ++port.queued;
  ++queued_;
}

void UdpSockets::answer(Port& port, const Endpoint& to, std::string_view data,
                        std::size_t segment_size, const DatagramSource& source) {
  if (log_ != nullptr) {
    ReceivedMessage shape;
    shape.data = data;
    shape.segment_size = segment_size;
    for_each_datagram(shape, [&](std::string_view datagram) { log_sending(to, datagram); });
  }
  port.sender.add_segments(to, data, segment_size, source);
  ++port.queued;
  ++queued_;
  answering_ = true;
}

// Longer than any datagram: the kernel refuses the first part of it just as well.
std::optional<std::string_view> UdpSockets::keep(std::string_view data) {
  data = data.substr(0, ByteArena::kMost);
  if (kept_->size() + data.size() > kMostKept && !flush()) {
    ++no_room_;
    return std::nullopt;
  }
  return kept_->keep(data);
}

void UdpSockets::log_sending(const Endpoint& to, std::string_view data) const {
  if (log_ == nullptr) return;
  log_sent(*log_, to, data, options_.describe != nullptr ? options_.describe(data) : "");
}

void UdpSockets::flush(Port& port) {
  if (port.queued == 0) return;
  if (port.queued >= kManyDatagrams) port.watch.set(Interest::none);
  port.left = port.sender.flush(port.socket) > 0;
  if (!port.left) port.queued = 0;
}

bool UdpSockets::flush() {
  if (queued_ == 0) return true;
  blocked_ = false;
  for (const auto& port : ports_) {
    flush(*port);
    blocked_ = blocked_ || port->left;
  }
  if (!blocked_) {
    queued_ = 0;
    answering_ = false;
    kept_->clear();
  }
  update_interest();
  if (!not_sent_.empty()) say_not_sent();
  return !blocked_;
}

// Not from within the sender, as the callback may replace a socket.
void UdpSockets::say_not_sent() {
  const auto refused = std::exchange(not_sent_, {});
  for (const auto& [to, error] : refused) on_not_sent(to, error);
}

void UdpSockets::update_interest() {
  const bool reading = !(blocked_ && answering_);
  for (const auto& port : ports_) {
    const Interest quiet = reading ? Interest::read : Interest::none;
    const Interest waiting = reading ? Interest::both : Interest::write;
    port->watch.set(port->left ? waiting : quiet);
  }
}

void UdpSockets::on_ready(Port& port, Ready ready) {
  if (ready.error && options_.report_unreachable) {
    port.socket.read_unreachable([this](const Endpoint& to) { on_unreachable(to, ECONNREFUSED); });
  }
  if (ready.writable && port.left && flush()) on_unblocked();
  if (ready.readable && !(blocked_ && answering_)) read(port);
}

void UdpSockets::read(Port& port) {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    const DatagramReceiver::Result result = receiver_.receive(port.socket);
    std::size_t datagrams = 0;
    for (const ReceivedMessage& message : result.messages) {
      datagrams += message.segments();
      take(port, message);
    }
    if (is_about_the_peer(result.error) && port.socket.connected()) {
      on_unreachable(Endpoint(), result.error);
    }
    if (answering_ && !flush()) return;
    if (pace_ && datagrams > 0) pace_->on_batch(datagrams, loop_.now());
    const bool pausing = pace_ && pace_->pause() > Duration::zero();
    if (result.messages.size() >= (pausing ? kBatch : kBacklog)) continue;
    if (pausing) sleep_for(pace_->pause());
    return;
  }
}

void UdpSockets::take(Port& port, const ReceivedMessage& message) {
  if (message.truncated) {
    ++truncated_;
    return;
  }
  if (log_ != nullptr) {
    for_each_datagram(message, [&](std::string_view datagram) {
      log_received(*log_, *message.peer, datagram,
                   options_.describe != nullptr ? options_.describe(datagram) : "");
    });
  }
  on_message(port, message);
}

DatagramSenderCounters UdpSockets::sent() const {
  DatagramSenderCounters sum;
  for (const auto& port : ports_) sum += port->sender.counters();
  sum.no_room += no_room_;
  return sum;
}

std::vector<Endpoint> UdpSockets::local() const {
  std::vector<Endpoint> all;
  for (const auto& port : ports_) all.push_back(port->local);
  return all;
}

}  // namespace netkit
