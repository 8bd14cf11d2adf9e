#include <cerrno>
#include <echo/ping_target.hpp>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/random.hpp>

namespace netkit::echo {

namespace {

constexpr Duration kKnockInterval = std::chrono::milliseconds(100);

}  // namespace

PingTarget::PingTarget(Host& host, const PingOptions& options, const AddressSpec& address,
                       std::function<void()> on_end)
    : host_(host),
      options_(options),
      address_(address),
      on_end_(std::move(on_end)),
      statistics_(options.many ? 4096 : 65'536) {}

void PingTarget::start() {
  id_ = random_number();
  probe_ = make_probe(id_, 0, options_.size);
  if (options_.way == PingOptions::Way::udp) {
    UdpClient::Options udp;
    udp.log = &host_.log();
    UdpClient::Handler& handler = *this;
    udp.socket.dscp = options_.dscp;
    client_.emplace(host_.loop(), std::vector{address_}, handler, udp);
    say_target();
  } else if (options_.way == PingOptions::Way::tcp) {
    TcpClient::Options tcp;
    tcp.servers = {address_};
    TcpClient::Handler& handler = *this;
    stream_.emplace(host_.loop(), host_.log(), std::move(tcp), handler);
  }
  if (options_.wait_for) return start_waiting();
  if (!stream_) return start_probing();
  connecting_ = true;
  stream_->start();  // measured is what comes after it
}

void PingTarget::on_connected(TcpClient& client) {
  connecting_ = false;
  refusing_ = false;
  received_.clear();
  connected_ = client.stream()->peer();
  if (waiting_) return transmit();
  if (number_ == 0) start_probing();
}

void PingTarget::on_data(TcpClient& /*client*/, std::string_view data) {
  received_ += data;
  while (received_.size() >= probe_.size()) {
    on_reply(std::string_view(received_).substr(0, probe_.size()));
    received_.erase(0, probe_.size());
  }
}

// The next probe tries to connect again.
void PingTarget::on_gave_up(TcpClient& /*client*/, ExitStatus status, const std::string& error) {
  connecting_ = false;
  if (ended_) return;
  if (number_ == 0 && !waiting_) return fail(status, error);
  on_refused(ECONNREFUSED, error);
}

// Null before it is known.
const Endpoint* PingTarget::endpoint() const {
  if (client_) return &client_->peer();
  return connected_.port() != 0 ? &connected_ : nullptr;
}

std::string PingTarget::peer() const {
  const Endpoint* const known = endpoint();
  return known != nullptr ? known->to_string() : address_.to_string();
}

void PingTarget::start_probing() {
  send_probe();
  if (!ended_ && !all_sent())
    next_ = host_.loop().every(options_.interval, [this] { send_probe(); });
}

void PingTarget::send_probe() {
  ++number_;
  stamp_probe(probe_, id_, number_);
  statistics_.on_sent(number_, host_.clock().now());
  if (all_sent()) next_.reset();
  if (!overdue_.pending()) {
    overdue_ = host_.loop().after(options_.wait, [this] { check_overdue(); });
  }
  transmit();
}

void PingTarget::start_waiting() {
  waiting_ = true;
  knock();
  next_ = host_.loop().every(kKnockInterval, [this] { knock(); });
  overdue_ = host_.loop().after(*options_.wait_for, [this] {
    std::string error = fmt::format("no answer from {} within {}", address_.to_string(),
                                    format_duration(*options_.wait_for));
    if (last_error_ != 0) error += ": " + error_text(last_error_);
    fail(ExitStatus::no, error);
  });
}

// Until the service answers, every refusal only means that it is not there yet.
void PingTarget::knock() {
  if (client_) client_->start_over();
  transmit();
}

void PingTarget::transmit() {
  if (options_.way == PingOptions::Way::connect) return shake_hands(number_);
  if (stream_) {
    if (ByteStream* const stream = stream_->stream()) return stream->write(probe_);
    if (!std::exchange(connecting_, true)) stream_->start();
    return;
  }
  if (client_->send_now(probe_) != EMSGSIZE) return;  // what finds no room is lost
  fail(ExitStatus::no,
       fmt::format("--size {} is too long for the path to {}", options_.size, peer()));
}

void PingTarget::shake_hands(std::uint32_t number) {
  Handshake& handshake = handshakes_.emplace_back(host_.loop());
  const auto at = std::prev(handshakes_.end());
  handshake.connector.connect(address_, options_.wait, [=, this](const ConnectResult& result) {
    host_.loop().defer([this, at] { handshakes_.erase(at); });  // not within its own callback
    on_handshake(number, result);
  });
}

void PingTarget::on_handshake(std::uint32_t number, const ConnectResult& result) {
  if (ended_) return;
  if (!result.socket) {
    if (result.error_number == ETIMEDOUT && result.status == ExitStatus::unreachable) return;
    if (result.status == ExitStatus::name) return fail(result.status, result.error);
    return on_refused(result.error_number);
  }
  connected_ = result.peer;
  on_answer(number, 0);
}

void PingTarget::on_refused(int error, const std::string& why) {
  // A stream's sentence names the server.
  const std::string line = stream_ ? why : fmt::format("{}: {}", peer(), why);
  const bool same = std::exchange(last_error_, error) == error;
  if (waiting_) {
    if (!same) host_.log().info(line + "; waiting for it");
    return;
  }
  statistics_.on_refused();
  if (std::exchange(refusing_, true)) return;
  host_.log().notice(line);
}

void PingTarget::on_next_address(int error) {
  if (!waiting_) statistics_.on_refused();
  last_error_ = error;
  say_target();
  client_->send_now(probe_);
}

void PingTarget::say_target() {
  host_.log().info("sending to " + peer());
}

void PingTarget::on_datagram(std::string_view reply) {
  on_reply(reply);
}

void PingTarget::on_reply(std::string_view reply) {
  if (const auto number = read_probe(reply, probe_)) return on_answer(*number, reply.size());
  if (waiting_) return;
  if (statistics_.wrong() == 0 && statistics_.received() == 0) {
    host_.log().notice(fmt::format("{} answers, but is not an echo server", peer()));
  }
  statistics_.on_wrong();
}

void PingTarget::on_answer(std::uint32_t number, std::size_t size) {
  refusing_ = false;
  if (waiting_) {
    waiting_ = false;
    overdue_.reset();
    last_error_ = 0;
    return start_probing();
  }
  const PingStatistics::Reply answer = statistics_.on_reply(number, host_.clock().now());
  if (answer.kind == PingStatistics::Kind::unknown) return;
  emit_reply(number, size, answer);
  if (all_sent() && statistics_.lost() == 0) end();
}

// Reports overdue probes, and runs again when the next one will be.
void PingTarget::check_overdue() {
  const TimePoint now = host_.clock().now();
  while (settled_ < number_) {
    const auto sent = statistics_.unanswered_since(settled_ + 1);
    const TimePoint due = sent ? saturating_add(*sent, options_.wait) : now;
    if (due > now) {
      overdue_ = host_.loop().at(due, [this] { check_overdue(); });
      return;
    }
    ++settled_;
    if (sent) emit_lost(settled_);
  }
  if (all_sent()) end();
}

void PingTarget::emit_reply(std::uint32_t number, std::size_t size,
                            const PingStatistics::Reply& reply) {
  const bool duplicate = reply.kind == PingStatistics::Kind::duplicate;
  const double rtt = milliseconds(reply.rtt);
  const std::string from = options_.way == PingOptions::Way::connect
                               ? "connected to " + peer()
                               : fmt::format("{} bytes from {}", size, peer());
  const std::string line =
      fmt::format("{}: seq={} time={:.3f} ms{}{}", from, number, rtt,
                  duplicate ? " (duplicate)" : "", reply.reordered ? " (reordered)" : "");
  const Field fields[] = {{"seq", std::uint64_t{number}},
                          {"bytes", std::uint64_t{size}},
                          {"rtt_ms", rtt},
                          {"duplicate", duplicate},
                          {"reordered", reply.reordered}};
  host_.output().emit({.type = "reply",
                       .time = host_.clock().wall(),
                       .peer = endpoint(),
                       .fields = fields,
                       .payload = std::nullopt,
                       .line = line});
}

void PingTarget::emit_lost(std::uint32_t number) {
  const std::string line =
      fmt::format("{}seq={} no reply", options_.many ? peer() + ": " : std::string(), number);
  const Field fields[] = {{"seq", std::uint64_t{number}}};
  host_.output().emit({.type = "lost",
                       .time = host_.clock().wall(),
                       .peer = endpoint(),
                       .fields = fields,
                       .payload = std::nullopt,
                       .line = line});
}

void PingTarget::fail(ExitStatus status, const std::string& error) {
  if (ended_) return;
  failure_ = status;
  error_ = error;
  end();
}

void PingTarget::end() {
  if (std::exchange(ended_, true)) return;
  next_.reset();
  overdue_.reset();
  on_end_();
}

ExitStatus PingTarget::verdict() const {
  if (failure_) return *failure_;
  if (meets(statistics_, options_.thresholds)) return ExitStatus::done;
  const bool unreachable =
      statistics_.received() == 0 && statistics_.refused() > 0 && !options_.thresholds.any();
  return unreachable ? ExitStatus::unreachable : ExitStatus::no;
}

std::string PingTarget::verdict_error() const {
  if (failure_) return error_;
  switch (verdict()) {
    case ExitStatus::done:
      return {};
    case ExitStatus::unreachable:
      return fmt::format("no reply from {} ({})", peer(),
                         last_error_ == ECONNREFUSED ? "refused" : "unreachable");
    default:
      break;
  }
  if (statistics_.received() == 0) {
    return statistics_.wrong() > 0 ? fmt::format("{} answers, but is not an echo server", peer())
                                   : "no reply from " + peer();
  }
  return (options_.many ? peer() + ": " : std::string()) +
         options_.thresholds.missed(statistics_.loss_percent(), statistics_.rtt());
}

}  // namespace netkit::echo
