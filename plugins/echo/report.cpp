#include <echo/report.hpp>

#include <fmt/format.h>

#include <netkit/util/text.hpp>

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

double measured(const LatencyHistogram& histogram, Duration value) {
  return histogram.count() == 0 ? kNotMeasured : milliseconds(value);
}

double percentile(const LatencyHistogram& histogram, double percent) {
  return measured(histogram, histogram.percentile(percent));
}

}  // namespace

std::string short_latencies(const LatencyHistogram& latency) {
  if (latency.count() == 0) return "no reply";
  return fmt::format("p50 {}, p99 {}, max {}", latency_text(latency.percentile(50)),
                     latency_text(latency.percentile(99)), latency_text(latency.max()));
}

double BenchCounters::loss_percent() const {
  const std::uint64_t settled = received + lost;
  if (settled == 0) return kNotMeasured;
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

Numbers ping_numbers(const PingStatistics& statistics) {
  const LatencyHistogram& rtt = statistics.rtt();
  const bool sent = statistics.sent() > 0;
  Numbers numbers{{"sent", statistics.sent()},
                  {"received", statistics.received()},
                  {"lost", sent ? Totals::Value(statistics.lost()) : kNotMeasured},
                  {"loss_percent", sent ? statistics.loss_percent() : kNotMeasured},
                  {"duplicates", statistics.duplicates()},
                  {"reordered", statistics.reordered()},
                  {"refused", statistics.refused()},
                  {"wrong", statistics.wrong()},
                  {"rtt_min_ms", measured(rtt, rtt.min())},
                  {"rtt_mean_ms", measured(rtt, rtt.mean())},
                  {"rtt_p50_ms", percentile(rtt, 50)},
                  {"rtt_p90_ms", percentile(rtt, 90)},
                  {"rtt_p99_ms", percentile(rtt, 99)},
                  {"rtt_max_ms", measured(rtt, rtt.max())},
                  {"jitter_ms", kNotMeasured}};
  if (rtt.count() > 1) numbers.back().second = milliseconds(statistics.jitter());
  return numbers;
}

// In this order, as a live line on a narrow terminal shows the first of them.
Numbers bench_numbers(const BenchCounters& counters, const BenchResult& result) {
  const LatencyHistogram& latency = counters.latency;
  const bool sent = counters.sent > 0;
  return {{"packets_per_s", result.packets_per_s},
          {"bytes_per_s", result.bytes_per_s},
          {"loss_percent", result.loss_percent},
          {"p50_ms", percentile(latency, 50)},
          {"p99_ms", percentile(latency, 99)},
          {"sent", counters.sent},
          {"received", counters.received},
          {"lost", sent ? Totals::Value(counters.lost) : kNotMeasured},
          {"duplicates", counters.duplicates},
          {"late", counters.late},
          {"skipped", counters.skipped},
          {"refused", counters.refused},
          {"bytes_sent", counters.bytes_sent},
          {"bytes_received", counters.bytes_received},
          {"min_ms", measured(latency, latency.min())},
          {"mean_ms", measured(latency, latency.mean())},
          {"p90_ms", percentile(latency, 90)},
          {"p999_ms", percentile(latency, 99.9)},
          {"max_ms", measured(latency, latency.max())},
          {"seconds", result.seconds}};
}

std::string ping_report(std::string_view peer, const PingStatistics& statistics) {
  std::string text =
      fmt::format("--- {}: {} sent, {} received, {:.1f} % lost, {} duplicates, {} reordered\n",
                  peer, statistics.sent(), statistics.received(), statistics.loss_percent(),
                  statistics.duplicates(), statistics.reordered());
  if (statistics.wrong() > 0) {
    text += fmt::format("{} that were not what was sent\n", counted(statistics.wrong(), "reply"));
  }
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
