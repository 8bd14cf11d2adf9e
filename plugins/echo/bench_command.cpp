#include <algorithm>
#include <echo/bench_command.hpp>
#include <echo/report.hpp>
#include <string>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/format.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxDatagram = 65'507;
constexpr double kMaxUnderWay = 4e9;  // bytes of all flows' windows, which TCP holds in memory
constexpr std::size_t kSpareDescriptors = 32;
constexpr double kFirstRate = 10'000;  // of --search, and the per cent that may be lost
constexpr double kMaxLoss = 0.1;
constexpr double kTellingLosses = 3;  // a step is as long as it takes to lose so many
constexpr double kLongestStep = 30;   // seconds

}  // namespace

void BenchCommand::configure(const Values& values) {
  options_.servers = values.addresses("ADDRESS");
  options_.tcp = values.flag("tcp");
  options_.flows = static_cast<std::size_t>(values.integer("flows"));
  options_.window = static_cast<std::size_t>(values.integer("window"));
  options_.size = values.size("size");
  options_.rate = values.number("rate");
  options_.duration = values.duration("duration");
  options_.wait = values.duration("wait");
  options_.connect_timeout = values.duration("connect-timeout");
  options_.thresholds = read_thresholds(values);
  options_.coalesce = !values.flag("no-coalesce");
  if (values.flag("search")) {
    search_.emplace(options_.rate > 0 ? options_.rate : kFirstRate);
    step_ = values.given("duration") ? options_.duration : std::chrono::seconds(1);
    if (options_.thresholds.max_loss.value_or(0) <= 0) options_.thresholds.max_loss = kMaxLoss;
  }
  check_size();
}

void BenchCommand::check_size() const {
  if (!options_.tcp) {
    if (options_.size >= kMinBenchDatagram && options_.size <= kMaxDatagram) return;
    throw UsageError("--size: must be between 8 and 65507");
  }
  const double under_way = static_cast<double>(options_.flows) *
                           static_cast<double>(options_.window) *
                           static_cast<double>(options_.size);
  if (under_way > kMaxUnderWay) {
    throw UsageError("--flows times --window times --size: must be at most 4 GB with --tcp");
  }
}

// A flow is a socket.
void BenchCommand::check_descriptors() const {
  const std::size_t limit = raise_descriptor_limit();
  if (options_.flows + kSpareDescriptors <= limit) return;
  throw UsageError(
      fmt::format("--flows: {} sockets need more than the {} descriptors that `ulimit -n` allows",
                  options_.flows, limit));
}

ExitStatus BenchCommand::run(Host& host) {
  host_ = &host;
  check_descriptors();
  began_ = host.loop().now();
  rows_.emplace(host).start([this](const BenchRows::Part& part) { show_interval(part); });
  start_run();
  host.set_totals([this](Totals& totals) { show(totals); });
  host.on_stop([this](StopReason) {
    stopped_ = true;
    run_->stop();
  });
  if (rows_->wanted() && !search_) say_load();
  run_->start();
  return host.run_loop();
}

// `UDP 127.0.0.1:7000   16 flows × 8 in flight   64 B`, above the rows.
void BenchCommand::say_load() const {
  const std::string load =
      options_.rate > 0 ? fmt::format("at {}/s", short_number(options_.rate))
                        : fmt::format("{} {} in flight", utf8_ ? "\u00d7" : "x", options_.window);
  host_->log().notice(fmt::format("{} {}   {} {}   {}", options_.tcp ? "TCP" : "UDP",
                                  options_.servers.front().to_string(),
                                  counted(options_.flows, "flow"), load,
                                  short_quantity(static_cast<double>(options_.size), "B")));
}

void BenchCommand::start_run() {
  if (search_) {
    options_.rate = search_->rate();
    const double seconds = kTellingLosses * 100 / *options_.thresholds.max_loss / options_.rate;
    const auto needed = std::chrono::duration<double>(std::min(seconds, kLongestStep));
    options_.duration = std::max(step_, std::chrono::duration_cast<Duration>(needed));
  }
  run_.emplace(host_->loop(), host_->log(), options_,
               [this](ExitStatus status, const std::string& error) { on_run_end(status, error); });
}

void BenchCommand::on_run_end(ExitStatus status, const std::string& error) {
  if (search_ && !stopped_) return judge_step(status, error);
  if (search_) return finish_search();
  if (run_->counters().received > 0) {
    host_->output().write_text(bench_report(run_->counters(), run_->result(), utf8_));
  }
  if (status != ExitStatus::done) return host_->finish(status, error);
  const BenchCounters& counters = run_->counters();
  const std::string missed = options_.thresholds.missed(counters.loss_percent(), counters.latency);
  host_->finish(missed.empty() ? ExitStatus::done : ExitStatus::no, missed);
}

// What could not be sent when it was due counts as lost: then this machine is the limit.
void BenchCommand::judge_step(ExitStatus status, const std::string& error) {
  const BenchCounters& counters = run_->counters();
  if (counters.received == 0 && !search_->highest()) return host_->finish(status, error);
  const double due = static_cast<double>(counters.sent + counters.skipped);
  const double missing = static_cast<double>(counters.lost + counters.skipped);
  missed_ = error;
  if (status == ExitStatus::done && due > 0) {
    missed_ = options_.thresholds.missed(100 * missing / due, counters.latency);
  }
  const bool passed = status == ExitStatus::done && due > 0 && missed_.empty();
  emit_step(passed);
  search_->judge(passed);
  if (search_->done()) return finish_search();
  host_->loop().defer([this] {  // not from within its own callback
    start_run();
    run_->start();
  });
}

void BenchCommand::emit_step(bool passed) {
  const BenchCounters& counters = run_->counters();
  const BenchResult result = run_->result();
  const Duration p99 = counters.latency.percentile(99);
  const bool is_measured = counters.received > 0;
  const std::string line =
      fmt::format("{:.0f} /s: {:.2f} % lost, {} not sent in time, p99 {}: {}", options_.rate,
                  result.loss_percent, counters.skipped, is_measured ? latency_text(p99) : "-",
                  passed ? "passed" : "failed");
  const Field fields[] = {{"rate", options_.rate},
                          {"packets_per_s", result.packets_per_s},
                          {"loss_percent", result.loss_percent},
                          {"skipped", counters.skipped},
                          {"p99_ms", is_measured ? milliseconds(p99) : kNotMeasured},
                          {"passed", passed}};
  host_->output().emit({.type = "step",
                        .time = host_->clock().wall(),
                        .peer = nullptr,
                        .fields = fields,
                        .payload = std::nullopt,
                        .line = line});
}

void BenchCommand::finish_search() {
  const double most = *options_.thresholds.max_loss;
  if (const auto highest = search_->highest()) {
    host_->output().write_text(
        fmt::format("{:.0f} messages a second with at most {} % lost\n", *highest, most));
    return host_->finish(ExitStatus::done);
  }
  host_->finish(ExitStatus::no, fmt::format("no rate passed: {}", missed_));
}

void BenchCommand::show_interval(const BenchRows::Part& part) {
  const BenchInterval interval = run_->take_interval();
  const auto [from, to, is_record] = part;
  host_->log().notice(interval_row(interval, part, utf8_));
  if (!is_record) return;
  const double rate = static_cast<double>(interval.received) / (to - from);
  const double bytes = static_cast<double>(interval.bytes) / (to - from);
  const auto at = [&interval](double percent) {
    return interval.received == 0 ? kNotMeasured
                                  : milliseconds(interval.latency.percentile(percent));
  };
  const Field fields[] = {
      {"from_s", from},        {"to_s", to},       {"packets_per_s", rate}, {"bytes_per_s", bytes},
      {"lost", interval.lost}, {"p50_ms", at(50)}, {"p99_ms", at(99)},      {"max_ms", at(100)}};
  host_->output().emit({.type = "interval",
                        .time = host_->clock().wall(),
                        .peer = nullptr,
                        .fields = fields,
                        .payload = std::nullopt,
                        .line = std::nullopt});
}

void BenchCommand::show(Totals& totals) const {
  for (const auto& [name, value] : bench_numbers(run_->counters(), run_->result())) {
    totals.add(name, value);
  }
  totals.add("highest_rate", search_ ? search_->highest().value_or(0) : kNotMeasured);
}

}  // namespace netkit::echo
