#include <echo/bench_command.hpp>
#include <echo/report.hpp>
#include <string>
#include <vector>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxDatagram = 65'507;
constexpr double kMaxUnderWay = 4e9;  // bytes of all flows' windows, which TCP holds in memory
constexpr std::size_t kSpareDescriptors = 32;

}  // namespace

void BenchCommand::configure(const Values& values) {
  options_.address = values.address("ADDRESS");
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
  throw UsageError("--flows: " + std::to_string(options_.flows) + " sockets need more than the " +
                   std::to_string(limit) + " descriptors that `ulimit -n` allows");
}

ExitStatus BenchCommand::run(Host& host) {
  check_descriptors();
  run_.emplace(host.loop(), host.log(), options_,
               [this, &host](ExitStatus status, const std::string& error) {
                 if (run_->counters().received > 0) {
                   host.output().write_text(bench_report(run_->counters(), run_->result()));
                 }
                 end(host, status, error);
               });
  host.set_totals([this](Totals& totals) { show(totals); });
  host.on_stop([this](StopReason) { run_->stop(); });
  run_->start();
  return host.run_loop();
}

void BenchCommand::end(Host& host, ExitStatus status, const std::string& error) {
  if (status != ExitStatus::done) return host.finish(status, error);
  const BenchCounters& counters = run_->counters();
  const std::string missed = options_.thresholds.missed(counters.loss_percent(), counters.latency);
  host.finish(missed.empty() ? ExitStatus::done : ExitStatus::no, missed);
}

void BenchCommand::show(Totals& totals) const {
  for (const auto& [name, value] : bench_numbers(run_->counters(), run_->result())) {
    totals.add(name, value);
  }
}

}  // namespace netkit::echo
