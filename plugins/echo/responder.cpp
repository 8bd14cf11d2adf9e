#include <echo/responder.hpp>
#include <memory>
#include <utility>

namespace netkit::echo {

namespace {

UdpServer::Options udp_options(const ServeSettings& settings, const Log& log) {
  UdpServer::Options options;
  options.group = true;
  options.gather = true;
  options.log = &log;
  options.policy.any_port = settings.any_port;
  options.policy.access = settings.access;
  options.policy.rate = settings.rate;
  options.policy.loops = settings.reply.is_payload_only() ? AnswerPolicy::Loops::same_answer
                                                          : AnswerPolicy::Loops::any_answer;
  return options;
}

TcpServer::Options tcp_options(const ServeSettings& settings, ClientCount& clients) {
  return {.access = settings.access,
          .max_clients = settings.max_clients,
          .shared_count = &clients,
          .rate = settings.rate,
          .idle_timeout = settings.idle_timeout};
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
                     ClientCount& clients, Printer& printer, const Log& log)
    : loop_(loop), settings_(settings), printer_(printer), spinner_(loop) {
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

// With the default reply a super-packet goes back as it came; with -q that is all there is to do.
void Responder::on_message(const ReceivedMessage& message) {
  counters_.received += message.segments();
  counters_.bytes_received += message.data.size();
  spinner_.count();
  if (settings_.reply.is_payload_only()) {
    udp_->answer_unchanged(message, message.data);
    if (!printer_.wanted()) return;
  }
  time_ = loop_.clock().wall();
  UdpServer::Handler::on_message(message);
}

void Responder::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  const Message message{"udp", ++datagrams_, time_, from.peer, datagram};
  if (!settings_.reply.is_payload_only()) udp_->answer(from, render(message));
  if (printer_.wanted()) printer_.print(message);
}

void Responder::on_refused(const ReceivedMessage& message, Refusal /*why*/) {
  counters_.received += message.segments();
  counters_.bytes_received += message.data.size();
}

void Responder::on_read(Client& client, std::string_view data) {
  ++counters_.received;
  counters_.bytes_received += data.size();
  spinner_.count();
  const bool unchanged = settings_.reply.is_payload_only();
  std::string_view answer = data;
  if (!unchanged || printer_.wanted()) {
    const Endpoint peer = client.peer();
    const Message message{"tcp", ++reads_, loop_.clock().wall(), &peer, data};
    if (!unchanged) answer = render(message);
    if (printer_.wanted()) printer_.print(message);
  }
  ++counters_.sent;
  counters_.bytes_sent += answer.size();
  client.write(answer);
}

void Responder::add_to(ServeCounters& counters) const {
  counters += counters_;
  if (udp_) {
    for (std::size_t i = 0; i < kRefusals; ++i) counters.refused[i] += udp_->policy().refused()[i];
    counters.loops += udp_->policy().loops();
    const DatagramSenderCounters sent = udp_->sent();
    counters.sent += sent.datagrams;
    counters.bytes_sent += sent.bytes;
    counters.unsendable += sent.refused + sent.no_room;
    counters.too_big += sent.too_big;
    counters.kernel_drops += udp_->kernel_drops();
  }
  if (tcp_) {
    const TcpServer::Counters& tcp = tcp_->counters();
    counters.accepted += tcp.accepted;
    counters.refused_clients += tcp.refused;
    counters.refused[static_cast<std::size_t>(Refusal::denied)] += tcp.denied;
    counters.idle_clients += tcp.idle;
    counters.delayed += tcp.delayed;
    counters.clients += tcp_->size();
  }
}

}  // namespace netkit::echo
