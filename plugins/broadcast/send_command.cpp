#include <algorithm>
#include <broadcast/send_command.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/binary_text.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::broadcast {

namespace {

constexpr Duration kTargetsHold = std::chrono::seconds(1);  // then interfaces may have come up

}  // namespace

void SendCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  // A port alone means everybody here, but this machine for other clients.
  if (values.text("ADDRESS").find(':') == std::string::npos) address_.host = "255.255.255.255";
  if (address_.port == 0) throw UsageError("cannot send to port 0 (write HOST:PORT)");
  hex_ = values.flag("hex");
  for (const std::string& text : values.texts("TEXT")) {
    arguments_.push_back(hex_ ? decode_hex_option(text) : text);
  }
  interfaces_ = values.texts("interface");
  wait_ = values.duration("wait");
  interval_ = values.duration("interval");
  replies_ = static_cast<std::uint64_t>(values.integer("replies"));
  expect_ = static_cast<std::uint64_t>(values.integer("expect"));
  repeat_ = values.integer("repeat");
  ttl_ = static_cast<unsigned>(values.integer("ttl"));
  plain_rate_ = plain_rate(values);
  max_responders_ = static_cast<std::size_t>(values.integer("max-responders"));
  const bool sources = values.given("from") || values.given("every");
  if (sources && !arguments_.empty()) throw UsageError("give either TEXT or --from, not both");
  from_sources_ = arguments_.empty();
  if (wait_ == kNever && !sources && replies_ == 0) {
    throw UsageError("--wait none needs --replies N, or the run would never end");
  }
}

UdpSocket SendCommand::open_socket() {
  // With many responders one refusal means nothing for the others: no other address is tried later.
  endpoint_ = first_routable(resolve(address_));
  local_ = Endpoint(IpAddress::any(endpoint_.address().family()), 0);
  for (const Endpoint& source : address_.sources) {
    if (source.family() == endpoint_.family()) local_ = source;
  }
  UdpOptions options;
  options.broadcast = endpoint_.is_v4();
  options.packet_info = true;
  UdpSocket socket = UdpSocket::bound(local_, options);
  socket.set_multicast_ttl(ttl_);
  if (host_->values().given("ttl")) socket.set_ttl(ttl_);
  return socket;
}

std::vector<BroadcastTarget> SendCommand::find_targets() const {
  std::vector<Interface> chosen;
  for (const std::string& name : interfaces_) chosen.push_back(find_interface(name));
  auto targets = broadcast_targets(endpoint_, netkit::interfaces(), chosen);
  if (targets.empty()) {
    throw Error(ExitStatus::unreachable,
                "no interface that was named can reach " + endpoint_.to_string());
  }
  const bool bound = !local_.address().is_unspecified();
  for (BroadcastTarget& target : targets) {
    if (bound) target.source.address = local_.address();
  }
  return targets;
}

// Interfaces that have come up meanwhile take part; where there are none just now, what was there
// before says why it cannot be sent to.
void SendCommand::refresh_targets() {
  const TimePoint now = host_->clock().now();
  if (now - targets_found_ < kTargetsHold) return;
  targets_found_ = now;
  try {
    const auto before = std::exchange(targets_, find_targets());
    say_targets(before);
  } catch (const Error&) {
    return;
  }
}

void SendCommand::say_targets(const std::vector<BroadcastTarget>& before) const {
  for (const BroadcastTarget& target : targets_) {
    if (std::find(before.begin(), before.end(), target) != before.end()) continue;
    const unsigned index = target.source.interface_index;
    host_->log().info(
        fmt::format("sending to {}{}", target.to.to_string(),
                    index == 0 ? std::string() : fmt::format(" by {}", interface_name(index))));
  }
}

ExitStatus SendCommand::run(Host& host) {
  host_ = &host;
  std::vector<UdpSocket> sockets;
  sockets.push_back(open_socket());
  targets_ = find_targets();
  targets_found_ = host.clock().now();
  say_targets({});
  UdpServer::Options options;
  options.log = &host.log();
  options.policy.any_source = true;
  UdpServer::Handler& handler = *this;
  server_.emplace(host.loop(), std::move(sockets), handler, options);
  table_.emplace(max_responders_, wait_);
  host.set_totals([this](Totals& totals) { fill(totals); });
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

void SendCommand::fill(Totals& totals) const {
  const DatagramSenderCounters sent = server_->sent();
  totals.add("messages", messages_);
  totals.add("sent", sent.datagrams);
  totals.add("refused", sent.refused + sent.too_big);
  totals.add("answers", table_->answers());
  totals.add("duplicates", table_->duplicates());
  totals.add("overflow", table_->overflow());
  totals.add("kernel_drops", server_->kernel_drops());
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
  std::string message(text);
  try {
    if (hex_) message = decode_hex_option(text);
  } catch (const UsageError& error) {
    return host_->finish(error.status(), error.what());
  }
  sources_->pause();  // until this message has been sent as often as it should be
  begin(std::move(message));
}

void SendCommand::on_sources_end() {
  if (left_ == 0 && !timer_.pending()) wait_for_answers();
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

// How long sending has to wait for --plain-rate.
Duration SendCommand::over_rate(TimePoint now) {
  if (plain_rate_ <= 0 || endpoint_.address().is_loopback()) return {};
  const double burst = std::max(plain_rate_, 65'536.0);
  const auto bytes = static_cast<double>(message_.size() * targets_.size());
  const double count = std::min(bytes, burst);
  if (!bucket_) bucket_.emplace(plain_rate_, burst, now);
  if (bucket_->take(now, count)) return {};
  return std::max<Duration>(bucket_->ready_at(now, count) - now, std::chrono::milliseconds(1));
}

void SendCommand::send_once() {
  if (const Duration pause = over_rate(host_->loop().refresh_now()); pause > Duration::zero()) {
    timer_ = host_->loop().after(pause, [this] { send_once(); });
    return;
  }
  failed_ = 0;
  refresh_targets();
  for (const BroadcastTarget& target : targets_) {
    server_->send(target.to, message_, {}, target.source);
  }
  if (server_->flush()) sent_once();
}

void SendCommand::on_not_sent(const Endpoint& to, int error) {
  ++failed_;
  last_error_ = error;
  last_refusal_ = fmt::format("cannot send to {}: {}", to.to_string(), error_text(error));
}

void SendCommand::sent_once() {
  const bool failed = failed_ == targets_.size();
  if (failed && last_error_ == EMSGSIZE) {  // the next may be shorter
    ++too_long_;
    left_ = 0;
    host_->log().error(fmt::format("a message of {} bytes does not fit into a datagram: {}",
                                   message_.size(), last_refusal_));
    if (sources_) return repeated();
    timer_ = host_->loop().after(Duration::zero(), [this] { send_next_argument(); });
    return;
  }
  if (failed) {
    const bool prohibited = exit_status_of(last_error_) == ExitStatus::permission;
    host_->finish(prohibited ? ExitStatus::permission : ExitStatus::unreachable, last_refusal_);
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
  const std::uint64_t answers = table_->answers();
  if (answers < expect_) {
    return host_->finish(ExitStatus::no,
                         fmt::format("{} of the {} expected answers arrived", answers, expect_));
  }
  if (answers == 0 && messages_ > too_long_ && wait_ > Duration::zero()) {
    host_->log().notice(
        fmt::format("no answer from {} within {}", endpoint_.to_string(), format_duration(wait_)));
  }
  host_->finish(too_long_ == 0 ? ExitStatus::done : ExitStatus::no);
}

void SendCommand::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  if (messages_ == 0 || enough() || host_->finishing()) return;
  // From the port that is sent to (--bind), the message itself comes back.
  if (server_->policy().judge_source(*from.peer) == Refusal::own) return;
  const AnswerTable::Verdict verdict = table_->on_answer(*from.peer);
  if (verdict == AnswerTable::Verdict::overflow && table_->overflow() == 1) {
    host_->log().notice("more responders than --max-responders");
  }
  if (verdict != AnswerTable::Verdict::first) return;
  const double rtt = milliseconds(host_->clock().now() - sent_at_);
  const std::string interface = interface_name(from.interface_index);
  const Field fields[] = {
      {"rtt_ms", rtt}, {"interface", std::string_view(interface)}, {"seq", messages_}};
  const bool as_hex = hex_ && host_->output().format() == Format::text;
  const std::string hex = as_hex ? encode_hex(datagram) : std::string();
  host_->output().emit({.type = "answer",
                        .time = host_->clock().wall(),
                        .peer = from.peer,
                        .fields = fields,
                        .payload = as_hex ? std::string_view(hex) : datagram,
                        .line = std::nullopt});
  host_->log().write(
      host_->interactive() ? LogLevel::notice : LogLevel::info,
      fmt::format("{} answered via {} in {:.3f} ms", from.peer->to_string(), interface, rtt));
  if (enough()) finish();
}

}  // namespace netkit::broadcast
