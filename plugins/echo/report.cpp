#include <echo/report.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit::echo {

namespace {

constexpr unsigned kWidth = 58;  // whole in a window of 60

// Percentiles that need more values than there are are left out.
constexpr std::uint64_t kForP90 = 10;
constexpr std::uint64_t kForP99 = 100;
constexpr std::uint64_t kForP999 = 1000;

// `rtt       min 8.4   mean 71   p50 67   p90 97   p99 157   max 3,460 µs`, without the unit.
std::string latency_row(std::string_view name, const LatencyHistogram& latency,
                        const LatencyUnit& unit) {
  std::string row = fmt::format("{:<9}", name);
  const auto add = [&](std::string_view what, Duration value) {
    row += fmt::format(" {} {}  ", what, unit.number(value));
  };
  add("min", latency.min());
  add("mean", latency.mean());
  add("p50", latency.percentile(50));
  if (latency.count() >= kForP90) add("p90", latency.percentile(90));
  if (latency.count() >= kForP99) add("p99", latency.percentile(99));
  if (latency.count() >= kForP999) add("p99.9", latency.percentile(99.9));
  row += fmt::format(" max {}", unit.number(latency.max()));
  return row;
}

// With an empty line in front of it.
std::string histogram_of(const LatencyHistogram& latency, bool utf8) {
  const std::string drawn = latency.render(kWidth, utf8);
  return drawn.empty() ? drawn : "\n" + drawn;
}

double measured(const LatencyHistogram& histogram, Duration value) {
  return histogram.count() == 0 ? kNotMeasured : milliseconds(value);
}

double percentile(const LatencyHistogram& histogram, double percent) {
  return measured(histogram, histogram.percentile(percent));
}

}  // namespace

std::string interval_row(const BenchInterval& interval, const BenchRows::Part& part, bool utf8) {
  const double seconds = part.to - part.from;
  const double replies = static_cast<double>(interval.received) / seconds;
  const double bytes = static_cast<double>(interval.bytes) / seconds;
  std::string row =
      fmt::format("{}   {} replies/s   {}   {} lost", part_text(part), short_number(replies),
                  short_quantity(bytes, "B/s"), grouped(interval.lost));
  const LatencyHistogram& latency = interval.latency;
  if (latency.count() == 0) return row + "   no reply";
  const LatencyUnit unit(latency.percentile(50), utf8);
  return row + fmt::format("   p50 {}   p99 {}   max {}", unit.number(latency.percentile(50)),
                           unit.number(latency.percentile(99)), unit.text(latency.max()));
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

std::string ping_report(std::string_view peer, const PingStatistics& statistics, bool utf8) {
  std::string text =
      fmt::format("--- {}: {} sent, {} received, {:.1f} % lost, {} duplicates, {} reordered\n",
                  peer, statistics.sent(), statistics.received(), statistics.loss_percent(),
                  statistics.duplicates(), statistics.reordered());
  if (statistics.wrong() > 0) {
    text += fmt::format("{} {} wrong\n", statistics.wrong(),
                        statistics.wrong() == 1 ? "reply was" : "replies were");
  }
  const LatencyHistogram& rtt = statistics.rtt();
  if (rtt.count() == 0) return text;
  const LatencyUnit unit(rtt.percentile(50), utf8);
  text += latency_row("rtt", rtt, unit);
  if (rtt.count() > 1) text += fmt::format("   jitter {}", unit.number(statistics.jitter()));
  return text + fmt::format(" {}\n", unit.name()) + histogram_of(rtt, utf8);
}

std::string bench_report(const BenchCounters& counters, const BenchResult& result, bool utf8) {
  std::string text = fmt::format("replies   {} of {}   {} lost", grouped(counters.received),
                                 grouped(counters.sent), grouped(counters.lost));
  for (const auto& [count, what] :
       {std::pair(counters.late, "late"), std::pair(counters.duplicates, "duplicate")}) {
    if (count > 0) text += fmt::format("   {} {}", grouped(count), what);
  }
  text += fmt::format("   in {:.2f} s\nrate      {} replies/s   {}   {}\n", result.seconds,
                      short_number(result.packets_per_s), short_quantity(result.bytes_per_s, "B/s"),
                      short_quantity(8 * result.bytes_per_s, "bit/s"));
  if (counters.skipped > 0) {
    text += fmt::format("{} messages were not sent: this machine could not keep up with the rate\n",
                        grouped(counters.skipped));
  }
  const LatencyHistogram& latency = counters.latency;
  if (latency.count() == 0) return text;
  const LatencyUnit unit(latency.percentile(50), utf8);
  return text + latency_row("latency", latency, unit) + fmt::format(" {}\n", unit.name()) +
         histogram_of(latency, utf8);
}

}  // namespace netkit::echo
