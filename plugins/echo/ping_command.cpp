#include <cerrno>
#include <echo/ping_command.hpp>
#include <echo/ping_statistics.hpp>
#include <echo/report.hpp>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/peer_log.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/random.hpp>

namespace netkit::echo {

namespace {

constexpr Duration kKnockInterval = std::chrono::milliseconds(100);
constexpr std::size_t kMaxDatagram = 65'507;

std::uint64_t random_id() {
  std::uint64_t id = 0;
  fill_random(&id, sizeof id);
  return id;
}

}  // namespace

void PingCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  interval_ = values.duration("interval");
  wait_ = values.duration("wait");
  size_ = values.size("size");
  if (values.given("wait-for")) wait_for_ = values.duration("wait-for");
  if (values.given("count")) count_ = static_cast<std::uint64_t>(values.integer("count"));
  if (!count_ && wait_for_) count_ = 1;
  if (values.given("max-loss")) thresholds_.max_loss = values.number("max-loss");
  if (values.given("max-p99")) thresholds_.max_p99 = values.duration("max-p99");
}

ExitStatus PingCommand::run(Host& host) {
  host_ = &host;
  UdpClient::Options options;
  options.log = &host.log();
  UdpClient::Handler& handler = *this;
  client_.emplace(host.loop(), address_, handler, options);
  host.set_totals([this](Totals& totals) { show(totals); });
  host.on_stop([this](StopReason) { end(); });
  say_target();
  if (wait_for_) {
    start_waiting();
  } else {
    start();
  }
  return host.run_loop();
}

void PingCommand::start() {
  id_ = random_id();
  probe_ = make_probe(id_, 0, size_);
  send_probe();
  next_ = host_->loop().every(interval_, [this] { send_probe(); });
}

void PingCommand::send_probe() {
  ++number_;
  stamp_probe(probe_, id_, number_);
  statistics_.on_sent(number_, host_->clock().now());
  transmit();
  if (!count_ || number_ < *count_) return;
  next_.reset();
  deadline_ = host_->loop().after(wait_, [this] { end(); });
}

void PingCommand::start_waiting() {
  waiting_ = true;
  id_ = random_id();
  probe_ = make_probe(id_, 0, size_);
  knock();
  next_ = host_->loop().every(kKnockInterval, [this] { knock(); });
  deadline_ = host_->loop().after(*wait_for_, [this] {
    ended_ = true;
    std::string error =
        "no answer from " + address_.to_string() + " within " + format_duration(*wait_for_);
    if (last_error_ != 0) error += ": " + error_text(last_error_);
    host_->finish(ExitStatus::no, error);
  });
}

// Until the service answers, every refusal only means that it is not there yet.
void PingCommand::knock() {
  client_->start_over();
  transmit();
}

void PingCommand::transmit() {
  if (client_->send_now(probe_) != EMSGSIZE) return;  // what finds no room is lost
  ended_ = true;
  host_->finish(ExitStatus::no, fmt::format("--size {} is too long for the way to {}", size_,
                                            client_->peer().to_string()));
}

void PingCommand::on_refused(int error) {
  if (!waiting_) {
    ++refused_;
  } else if (error != last_error_) {
    host_->log().info(
        fmt::format("{}: {}; waiting for it", client_->peer().to_string(), error_text(error)));
  }
  last_error_ = error;
}

void PingCommand::on_next_address(int error) {
  if (!waiting_) ++refused_;
  last_error_ = error;
  say_target();
  client_->send_now(probe_);
}

void PingCommand::say_target() {
  host_->log().info("sending to " + client_->peer().to_string());
}

void PingCommand::on_datagram(std::string_view reply) {
  const TimePoint now = host_->clock().now();
  const auto number = find_probe(reply, id_);
  if (waiting_) {
    if (!number) return;
    waiting_ = false;
    deadline_.reset();
    start();
    return;
  }
  const PingStatistics::Reply answer = statistics_.on_reply(number.value_or(0), now);
  if (answer.kind == PingStatistics::Kind::unknown) return;
  if (!host_->quiet()) emit_reply(*number, reply.size(), answer);
  if (count_ && number_ >= *count_ && statistics_.lost() == 0) end();
}

void PingCommand::emit_reply(std::uint32_t number, std::size_t size,
                             const PingStatistics::Reply& reply) {
  const bool duplicate = reply.kind == PingStatistics::Kind::duplicate;
  const double rtt = milliseconds(reply.rtt);
  std::string line = fmt::format(
      "{} bytes from {}: seq={} time={:.3f} ms{}{}", size, client_->peer().to_string(), number, rtt,
      duplicate ? " (duplicate)" : "", reply.reordered ? " (reordered)" : "");
  const Field fields[] = {{"seq", std::uint64_t{number}},
                          {"bytes", std::uint64_t{size}},
                          {"rtt_ms", rtt},
                          {"duplicate", duplicate},
                          {"reordered", reply.reordered}};
  host_->output().emit({.type = "reply",
                        .time = host_->clock().wall(),
                        .peer = &client_->peer(),
                        .fields = fields,
                        .payload = std::nullopt,
                        .line = line});
}

void PingCommand::end() {
  if (ended_) return;
  ended_ = true;
  next_.reset();
  deadline_.reset();
  host_->output().write_text(ping_report(client_->peer().to_string(), statistics_));
  host_->finish(verdict(), verdict_error());
}

ExitStatus PingCommand::verdict() const {
  if (meets(statistics_, thresholds_)) return ExitStatus::done;
  const bool thresholds = thresholds_.max_loss || thresholds_.max_p99;
  const bool unreachable = statistics_.received() == 0 && refused_ > 0 && !thresholds;
  return unreachable ? ExitStatus::unreachable : ExitStatus::no;
}

std::string PingCommand::verdict_error() const {
  const std::string peer = client_->peer().to_string();
  switch (verdict()) {
    case ExitStatus::done:
      return {};
    case ExitStatus::unreachable:
      return peer + ": " + error_text(last_error_);
    default:
      break;
  }
  if (statistics_.received() == 0) return "no reply from " + peer;
  if (thresholds_.max_loss && statistics_.loss_percent() > *thresholds_.max_loss) {
    return fmt::format("{:.2f} % lost, more than --max-loss allows", statistics_.loss_percent());
  }
  return fmt::format("p99 is {}, more than --max-p99 allows",
                     latency_text(statistics_.rtt().percentile(99)));
}

void PingCommand::show(Totals& totals) const {
  totals.add("sent", statistics_.sent());
  totals.add("received", statistics_.received());
  totals.add("lost", statistics_.lost());
  totals.add("loss_percent", statistics_.loss_percent());
  totals.add("duplicates", statistics_.duplicates());
  totals.add("reordered", statistics_.reordered());
  totals.add("refused", refused_);
  const LatencyHistogram& rtt = statistics_.rtt();
  totals.add("rtt_min_ms", milliseconds(rtt.min()));
  totals.add("rtt_mean_ms", milliseconds(rtt.mean()));
  totals.add("rtt_p50_ms", milliseconds(rtt.percentile(50)));
  totals.add("rtt_p90_ms", milliseconds(rtt.percentile(90)));
  totals.add("rtt_p99_ms", milliseconds(rtt.percentile(99)));
  totals.add("rtt_max_ms", milliseconds(rtt.max()));
  totals.add("jitter_ms", milliseconds(statistics_.jitter()));
}

}  // namespace netkit::echo
