#include <array>
#include <echo/responder.hpp>
#include <memory>
#include <utility>

#include <netkit/cli/shared_definitions.hpp>

namespace netkit::echo {

namespace {

// Of answers that wait for clients by TCP, in each thread.
constexpr std::size_t kMostWaiting = std::size_t{256} << 20U;
constexpr std::size_t kRequest = 4096;  // bytes of a read; more is no request but bulk data

UdpServer::Options udp_options(const ServeSettings& settings, const Log& log) {
  UdpServer::Options options;
  options.group = true;
  options.gather = true;
  options.log = &log;
  options.policy = settings.policy;
  options.policy.loops = settings.reply.is_payload_only() ? AnswerPolicy::Loops::same_answer
                                                          : AnswerPolicy::Loops::any_answer;
  return options;
}

TcpServer::Options tcp_options(const ServeSettings& settings, ClientCount& clients) {
  return {.access = settings.policy.access,
          .max_clients = settings.max_clients,
          .shared_count = &clients,
          .rate = settings.policy.rate,
          .idle_timeout = settings.idle_timeout,
          .all_waiting = kMostWaiting};
}

}  // namespace

class Responder::Client final : public TcpServer::Connection {
 public:
  explicit Client(Responder& responder) : responder_(responder) {}

 private:
  void on_received(std::string_view data) override { responder_.on_read(*this, data); }

  Responder& responder_;
};

Responder::Responder(EventLoop& loop, ServerSockets sockets, const ServeSettings& settings,
                     ClientCount& clients, Print print, const Log& log)
    : loop_(loop), settings_(settings), print_(std::move(print)), spinner_(loop) {
  UdpServer::Handler& handler = *this;
  if (!sockets.udp.empty()) {
    udp_.emplace(loop, std::move(sockets.udp), handler, udp_options(settings, log));
  }
  if (sockets.tcp.empty()) return;
  tcp_.emplace(loop, log, tcp_options(settings, clients),
               [this](const Endpoint&) { return std::make_unique<Client>(*this); });
  for (FileDescriptor& socket : sockets.tcp) tcp_->listen(std::move(socket));
}

std::string_view Responder::render(const Message& message) {
  rendered_.clear();
  with_record(message, [this](const Record& record) {
    settings_.reply.render(record, rendered_, Escaping::none);
  });
  return rendered_;
}

void Responder::count(const ReceivedMessage& message) {
  received_ += message.segments();
  bytes_received_ += message.data.size();
}

// With the default reply a super-packet goes back as it came; with -q that is all there is to do.
void Responder::on_message(const ReceivedMessage& message) {
  count(message);
  spinner_.count();
  if (settings_.reply.is_payload_only()) {
    udp_->answer_unchanged(message, message.data);
    if (!print_) return;
  }
  time_ = loop_.clock().wall();
  UdpServer::Handler::on_message(message);
}

void Responder::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  const Message message{"udp", ++datagrams_, time_, from.peer, datagram};
  if (!settings_.reply.is_payload_only()) udp_->answer(from, render(message));
  if (print_) print_(message);
}

void Responder::on_refused(const ReceivedMessage& message, Refusal /*why*/) {
  count(message);
}

void Responder::on_read(Client& client, std::string_view data) {
  ++received_;
  bytes_received_ += data.size();
  // Polling helps clients that wait for each answer; bulk data fills the time between reads anyway.
  if (data.size() <= kRequest) spinner_.count();
  const bool unchanged = settings_.reply.is_payload_only();
  std::string_view answer = data;
  if (!unchanged || print_) {
    const Endpoint peer = client.peer();
    const Message message{"tcp", ++reads_, loop_.clock().wall(), &peer, data};
    if (!unchanged) answer = render(message);
    if (print_) print_(message);
  }
  ++written_;
  bytes_written_ += answer.size();
  client.write(answer);
}

void Responder::add_to(Totals& totals) const {
  const auto sent = udp_ ? udp_->sent() : DatagramSenderCounters();
  const auto tcp = tcp_ ? tcp_->counters() : TcpServer::Counters();
  auto refused = udp_ ? udp_->policy().refused() : std::array<std::uint64_t, kRefusals>();
  refused[static_cast<std::size_t>(Refusal::denied)] += tcp.denied;
  totals.add("received", received_);
  totals.add("sent", sent.datagrams + written_);
  totals.add("bytes_received", bytes_received_);
  totals.add("bytes_sent", sent.bytes + bytes_written_);
  totals.add("kernel_drops", udp_ ? udp_->kernel_drops() : 0);
  add_refusals(totals, refused);
  totals.add("dropped_loop", refused[static_cast<std::size_t>(Refusal::loop)]);
  totals.add("loops", udp_ ? udp_->policy().loops() : 0);
  totals.add("unsendable", sent.refused + sent.no_room);
  totals.add("too_big", sent.too_big);
  totals.add("accepted", tcp.accepted);
  totals.add("clients", std::uint64_t{tcp_ ? tcp_->size() : 0});
  totals.add("refused_clients", tcp.refused);
  totals.add("idle_clients", tcp.idle);
  totals.add("delayed", tcp.delayed);
}

}  // namespace netkit::echo
