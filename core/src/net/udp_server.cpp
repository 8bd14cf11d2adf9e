#include "net/socket_error.hpp"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/udp_server.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/random.hpp>

namespace netkit {
namespace {

// A socket bound to one address answers from it anyway; others must learn which address a request
// was sent to.
std::vector<UdpSocket> with_destinations(std::vector<UdpSocket> sockets) {
  for (UdpSocket& socket : sockets) {
    if (socket.local().address().is_unspecified()) socket.report_destinations();
  }
  return sockets;
}

// Whether it takes IPv4 as well, as a socket that was passed may: addresses of IPv4 are mapped
// then.
bool is_of_both_families(const UdpSocket& socket) {
  int v6_only = 1;
  socklen_t size = sizeof v6_only;
  return ::getsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size) == 0 && v6_only == 0;
}

UdpSocket bound_for_both_families(const Endpoint& local, const UdpOptions& options) {
  FileDescriptor fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int v6_only = 0;
  if (!fd || ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only) != 0 ||
      ::bind(fd.get(), local.data(), local.size()) != 0) {
    throw bind_error(errno, "udp", local);
  }
  return UdpSocket::adopt(std::move(fd), options);
}

AnswerPolicy::Options with_seed(AnswerPolicy::Options options) {
  if (options.seed == 0) options.seed = random_number();
  return options;
}

}  // namespace

// The port from which a server probes a peer that may be a server itself (loop_guard.hpp): a socket
// that exists only while an answer may come.
class UdpServer::Probe {
 public:
  // `local` is the address that peers know the server by; its port is not used. `both`: peers of
  // either family know it.
  Probe(UdpServer& server, const Endpoint& local, bool both)
      : server_(server), local_(local.with_port(0)), both_(both) {}

  // Sends `reply` from the probing port, and listens there for kProbeWait from now on. A machine
  // that has no socket left for it does without.
  void send(const Endpoint& peer, std::string_view reply) {
    if (!open()) return;
    socket_.send_to(reply, peer);
    closing_ = server_.loop().after(LoopGuard::kProbeWait, [this] { close(); });
  }

 private:
  bool open() {
    if (socket_) return true;
    try {
      const UdpOptions options{.count_drops = false, .receive_buffer = 1 << 16};
      socket_ =
          both_ ? bound_for_both_families(local_, options) : UdpSocket::bound(local_, options);
      watch_ = server_.loop().watch(socket_.fd(), Interest::read, [this](Ready) { read(); });
    } catch (const SystemError&) {
      close();
      return false;
    }
    return true;
  }

  void close() {
    closing_.reset();
    watch_.reset();
    socket_ = UdpSocket();
  }

  void read() {
    std::array<char, 1> byte;  // only the sender matters
    Endpoint peer;
    constexpr int kReadsPerTurn = 64;
    for (int i = 0; i < kReadsPerTurn && socket_; ++i) {
      const IoResult result = socket_.receive(byte.data(), byte.size(), &peer);
      if (!result.ok()) return;
      server_.on_probe_answer(peer);
    }
  }

  UdpServer& server_;
  Endpoint local_;
  bool both_;
  UdpSocket socket_;
  Watch watch_;
  Timer closing_;
};

UdpServer::UdpServer(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
                     const Options& options)
    : UdpSockets(loop, with_destinations(std::move(sockets)), options),
      handler_(handler),
      log_(options.log),
      policy_(with_seed(options.policy), networks_.view(), local()) {
  if (options.policy.loops == AnswerPolicy::Loops::ignore) return;
  for (const auto& port : ports()) {
    const IpAddress address = port->local.address();
    const bool shared = policy_.is_shared(address);
    const Endpoint from(shared ? IpAddress::any(address.family()) : address, 0);
    probes_.push_back(std::make_unique<Probe>(*this, from, is_of_both_families(port->socket)));
  }
}

UdpServer::~UdpServer() = default;

void UdpServer::on_message(Port& port, const ReceivedMessage& message) {
  const AnswerPolicy::Judgement judgement = policy_.judge(message, loop().now());
  if (judgement.allowed == 0) return handler_.on_refused(message, judgement.refusal);
  current_ = &port;
  probing_ = judgement.probe;
  if (judgement.refusal == Refusal::none) {
    handler_.on_message(message);
  } else {
    ReceivedMessage allowed = message;
    allowed.data = message.data.substr(0, judgement.allowed * message.segment_size);
    handler_.on_message(allowed);
    refuse_rest(message, judgement.allowed, judgement.refusal);
  }
  current_ = nullptr;
}

void UdpServer::refuse_rest(const ReceivedMessage& message, std::size_t allowed, Refusal why) {
  ReceivedMessage rest = message;
  rest.data = message.data.substr(allowed * message.segment_size);
  if (rest.data.size() <= rest.segment_size) rest.segment_size = 0;
  handler_.on_refused(rest, why);
}

DatagramSource UdpServer::source_of(const ReceivedMessage& message) const {
  const IpAddress& asked = message.destination;
  if (asked.is_unspecified()) {
    // Bound to one address: which of several sockets has it is all there is to say.
    return ports().size() > 2 ? DatagramSource{current_->local.address()} : DatagramSource{};
  }
  return policy_.is_shared(asked) ? DatagramSource{} : DatagramSource{asked};
}

void UdpServer::answer(const ReceivedMessage& to, std::string_view data) {
  if (probing_) probe(*to.peer, data);
  if (const auto kept = keep(data)) {
    UdpSockets::answer(*current_, *to.peer, *kept, 0, source_of(to));
  }
}

void UdpServer::answer_unchanged(const ReceivedMessage& to, std::string_view data) {
  if (probing_) probe(*to.peer, data.substr(0, to.segment_size == 0 ? data.npos : to.segment_size));
  UdpSockets::answer(*current_, *to.peer, data, to.segment_size, source_of(to));
}

void UdpServer::probe(const Endpoint& peer, std::string_view answer) {
  probing_ = false;
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (ports()[i].get() == current_) probes_[i]->send(peer, answer);
  }
}

void UdpServer::on_probe_answer(const Endpoint& peer) {
  if (!policy_.on_probe_answer(peer, loop().now()) || log_ == nullptr) return;
  log_->notice(
      fmt::format("{} answers answers: ignored from now on, to break a loop", peer.to_string()));
}

void UdpServer::on_unreachable(const Endpoint& to, int /*error*/) {
  handler_.on_unreachable(to);
}

void UdpServer::on_not_sent(const Endpoint& to, int error) {
  handler_.on_not_sent(to, error);
}

}  // namespace netkit
