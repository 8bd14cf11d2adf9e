#include <echo/report.hpp>

#include <fmt/format.h>

namespace netkit::echo {

namespace {

constexpr unsigned kWidth = 72;

// `NAME min/mean/p50/p90/p99/max 17.2us/…/1.25ms` and the histogram; nothing while there is no
// value.
std::string latencies(std::string_view name, const LatencyHistogram& histogram) {
  if (histogram.count() == 0) return {};
  return fmt::format("{} min/mean/p50/p90/p99/max {}/{}/{}/{}/{}/{}\n{}", name,
                     latency_text(histogram.min()), latency_text(histogram.mean()),
                     latency_text(histogram.percentile(50)), latency_text(histogram.percentile(90)),
                     latency_text(histogram.percentile(99)), latency_text(histogram.max()),
                     histogram.render(kWidth));
}

}  // namespace

double BenchCounters::loss_percent() const {
  const std::uint64_t settled = received + lost;
  if (settled == 0) return 0;
  return 100.0 * static_cast<double>(lost) / static_cast<double>(settled);
}

BenchResult summarize(const BenchCounters& counters, Duration elapsed) {
  BenchResult result;
  result.seconds = std::chrono::duration<double>(elapsed).count();
  result.loss_percent = counters.loss_percent();
  if (result.seconds <= 0) return result;
  result.packets_per_s = static_cast<double>(counters.received) / result.seconds;
  result.bytes_per_s = static_cast<double>(counters.bytes_received) / result.seconds;
  return result;
}

std::string ping_report(std::string_view peer, const PingStatistics& statistics) {
  std::string text =
      fmt::format("--- {}: {} sent, {} received, {:.1f} % lost, {} duplicates, {} reordered\n",
                  peer, statistics.sent(), statistics.received(), statistics.loss_percent(),
                  statistics.duplicates(), statistics.reordered());
  text += latencies("rtt", statistics.rtt());
  if (statistics.received() > 1) {
    text += fmt::format("jitter {}\n", latency_text(statistics.jitter()));
  }
  return text;
}

std::string bench_report(const BenchCounters& counters, const BenchResult& result) {
  std::string text = fmt::format(
      "sent {}, received {}, lost {} ({:.2f} %) in {:.2f} s\n{:.0f} replies/s, {:.3f} MB/s\n",
      counters.sent, counters.received, counters.lost, result.loss_percent, result.seconds,
      result.packets_per_s, result.bytes_per_s / 1e6);
  if (counters.skipped > 0) {
    text += fmt::format("{} messages were not sent: this machine could not keep up the rate\n",
                        counters.skipped);
  }
  return text + latencies("latency", counters.latency);
}

}  // namespace netkit::echo
