#include <echo/udp_responder.hpp>
#include <utility>

namespace netkit::echo {

namespace {

UdpServer::Options options_of(const ServeSettings& settings, const Log& log) {
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

}  // namespace

UdpResponder::UdpResponder(EventLoop& loop, std::vector<UdpSocket> sockets,
                           const ServeSettings& settings, Printer& printer, Spinner& spinner,
                           const Log& log)
    : loop_(loop),
      settings_(settings),
      printer_(printer),
      spinner_(spinner),
      server_(loop, std::move(sockets), *this, options_of(settings, log)) {}

void UdpResponder::count(const ReceivedMessage& message) {
  received_ += message.segments();
  bytes_received_ += message.data.size();
}

// With the default reply a super-packet goes back as it came; with -q that is all there is to do.
void UdpResponder::on_message(const ReceivedMessage& message) {
  count(message);
  spinner_.count();
  if (settings_.reply.is_payload_only()) {
    server_.answer_unchanged(message, message.data);
    if (!printer_.wanted()) return;
  }
  time_ = loop_.clock().wall();
  UdpServer::Handler::on_message(message);
}

void UdpResponder::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  const Message entry{"udp", ++number_, time_, from.peer, datagram};
  if (!settings_.reply.is_payload_only()) {
    rendered_.clear();
    with_record(entry, [this](const Record& record) {
      settings_.reply.render(record, rendered_, Escaping::none);
    });
    server_.answer(from, rendered_);
  }
  if (printer_.wanted()) printer_.print(entry);
}

void UdpResponder::on_refused(const ReceivedMessage& message, Refusal /*why*/) {
  count(message);
}

void UdpResponder::add_to(ServeCounters& counters) const {
  counters.received += received_;
  counters.bytes_received += bytes_received_;
  for (std::size_t i = 0; i < kRefusals; ++i) counters.refused[i] += server_.policy().refused()[i];
  counters.loops += server_.policy().loops();
  const DatagramSenderCounters sent = server_.sent();
  counters.sent += sent.datagrams;
  counters.bytes_sent += sent.bytes;
  counters.unsendable += sent.refused + sent.no_room;
  counters.too_big += sent.too_big;
  counters.kernel_drops += server_.kernel_drops();
}

}  // namespace netkit::echo
