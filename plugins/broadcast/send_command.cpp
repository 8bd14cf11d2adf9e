#include <algorithm>
#include <broadcast/send_command.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>

namespace netkit::broadcast {

void SendCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  if (address_.port == 0) throw UsageError("port 0 cannot be sent to (write HOST:PORT)");
  const std::vector<std::string> texts = values.texts("TEXT");
  arguments_.assign(texts.begin(), texts.end());
  interfaces_ = values.texts("interface");
  wait_ = values.duration("wait");
  interval_ = values.duration("interval");
  replies_ = static_cast<std::uint64_t>(values.integer("replies"));
  expect_ = static_cast<std::uint64_t>(values.integer("expect"));
  repeat_ = values.integer("repeat");
  ttl_ = static_cast<unsigned>(values.integer("ttl"));
  max_responders_ = static_cast<std::size_t>(values.integer("max-responders"));
  const bool sources = values.given("from") || values.given("every");
  if (sources && !arguments_.empty()) throw UsageError("give either TEXT or --from, not both");
  from_sources_ = arguments_.empty();
  if (wait_ == kNever && !sources && replies_ == 0) {
    throw UsageError("--wait none needs --replies N, or the run would never end");
  }
}

void SendCommand::open_socket() {
  // Of many who may answer none refuses for the others, so no other address is tried later.
  const Endpoint endpoint = first_routable(resolve(address_));
  std::vector<Interface> chosen;
  for (const std::string& name : interfaces_) chosen.push_back(find_interface(name));
  targets_ = broadcast_targets(endpoint, netkit::interfaces(), chosen);
  if (targets_.empty()) {
    throw Error(ExitStatus::unreachable,
                "no interface that was named can reach " + endpoint.to_string());
  }
  const IpAddress any = IpAddress::any(endpoint.address().family());
  UdpOptions options;
  options.broadcast = endpoint.is_v4();
  options.packet_info = true;
  socket_ = UdpSocket::bound(Endpoint(any, 0), options);
  socket_.set_multicast_ttl(ttl_);
  if (host_->values().given("ttl")) socket_.set_ttl(ttl_);
}

ExitStatus SendCommand::run(Host& host) {
  host_ = &host;
  open_socket();
  receiver_ = std::make_unique<DatagramReceiver>();
  table_ = std::make_unique<AnswerTable>(max_responders_, wait_);
  sender_.on_refused([this](const Endpoint& to, int error) {
    ++failed_;
    last_error_ = error;
    last_refusal_ = "cannot send to " + to.to_string() + ": " + error_text(error);
  });
  watch_ = host.loop().watch(socket_.fd(), Interest::read, [this](Ready) { on_ready(); });
  host.set_totals([this](Totals& totals) {
    totals.add("messages", messages_);
    totals.add("sent", sender_.counters().datagrams);
    totals.add("refused", sender_.counters().refused + sender_.counters().too_big);
    totals.add("answers", table_->answers());
    totals.add("duplicates", table_->duplicates());
    totals.add("overflow", table_->overflow());
    totals.add("kernel_drops", receiver_->kernel_drops());
  });
  if (from_sources_) {
    SourceDefaults defaults;
    defaults.stdin_when_none = true;
    sources_ = open_sources(host, *this, defaults);
    sources_->resume();
  } else {
    send_next_argument();
  }
  return host.run_loop();
}

void SendCommand::send_next_argument() {
  if (arguments_.empty() || enough()) {
    finish();
    return;
  }
  std::string message = std::move(arguments_.front());
  arguments_.pop_front();
  table_->close_messages();  // the one before has had its whole wait
  begin(std::move(message));
}

void SendCommand::on_source_record(std::string_view text, WallTime /*time*/) {
  sources_->pause();  // until this message has been sent as often as it should be
  begin(std::string(text));
}

void SendCommand::on_sources_end() {
  if (!timer_.pending()) wait_for_answers();
}

bool SendCommand::on_source_failed(ExitStatus status, const std::string& error) {
  failure_ = status;
  error_ = error;
  wait_for_answers();
  return true;
}

void SendCommand::begin(std::string message) {
  message_ = std::move(message);
  left_ = repeat_;
  ++messages_;
  sent_at_ = host_->clock().now();
  table_->next_message(sent_at_);
  send_once();
}

void SendCommand::send_once() {
  failed_ = 0;
  for (const BroadcastTarget& target : targets_) {
    log_sent(host_->log(), target.to, message_);
    sender_.add(target.to, message_, {}, target.source);
  }
  if (sender_.flush(socket_) > 0) sender_.drop_queued();
  if (failed_ == targets_.size() && last_error_ == EMSGSIZE) {  // the next may be shorter
    ++too_long_;
    host_->log().error("a message of " + std::to_string(message_.size()) +
                       " bytes does not fit into a datagram: " + last_refusal_);
    if (sources_) return repeated();
    timer_ = host_->loop().after(Duration::zero(), [this] { send_next_argument(); });
    return;
  }
  if (failed_ == targets_.size()) {
    host_->finish(exit_status_of(last_error_) == ExitStatus::permission ? ExitStatus::permission
                                                                        : ExitStatus::unreachable,
                  last_refusal_);
    return;
  }
  if (failed_ > 0) host_->log().notice(last_refusal_);
  if (--left_ > 0) {
    timer_ = host_->loop().after(interval_, [this] { send_once(); });
  } else {
    repeated();
  }
}

// All repetitions of a message are out.
void SendCommand::repeated() {
  if (!sources_ || sources_->ended()) {
    wait_for_answers();
  } else {
    timer_.reset();
    sources_->resume();
  }
}

void SendCommand::wait_for_answers() {
  timer_ = host_->loop().after(wait_, [this] { waited(); });
}

void SendCommand::waited() {
  if (sources_) {
    finish();
  } else {
    send_next_argument();
  }
}

bool SendCommand::enough() const {
  return replies_ != 0 && table_->answers() >= replies_;
}

void SendCommand::finish() {
  if (failure_) return host_->finish(*failure_, error_);
  if (table_->answers() >= expect_) {
    host_->finish(too_long_ == 0 ? ExitStatus::done : ExitStatus::no);
    return;
  }
  host_->finish(ExitStatus::no, std::to_string(table_->answers()) + " of the " +
                                    std::to_string(expect_) + " expected answers came");
}

void SendCommand::on_ready() {
  const DatagramReceiver::Result result = receiver_->receive(socket_);
  for (const ReceivedMessage& message : result.messages) {
    if (enough()) break;
    on_message(message);
  }
  if (enough() && !host_->finishing()) finish();
}

void SendCommand::on_message(const ReceivedMessage& message) {
  log_received(host_->log(), *message.peer, message.data);
  if (messages_ == 0) return;  // nothing has been asked yet
  if (table_->on_answer(*message.peer) != AnswerTable::Verdict::first) {
    if (table_->overflow() == 1) host_->log().notice("more responders than --max-responders");
    return;
  }
  const std::chrono::duration<double, std::milli> rtt = host_->clock().now() - sent_at_;
  const std::string interface = interface_name(message.interface_index);
  const Field fields[] = {
      {"rtt_ms", rtt.count()}, {"interface", std::string_view(interface)}, {"seq", messages_}};
  host_->output().emit({.type = kAnswerRecord,
                        .time = host_->clock().wall(),
                        .peer = message.peer,
                        .fields = fields,
                        .payload = message.data,
                        .line = std::nullopt});
}

}  // namespace netkit::broadcast
