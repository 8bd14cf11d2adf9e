#include <echo/bench_counters.hpp>
#include <echo/latency_report.hpp>

#include <netkit/util/format.hpp>

namespace netkit::echo {

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

std::string bench_report(const BenchCounters& counters, const BenchResult& result) {
  std::string text = "sent ";
  append_unsigned(text, counters.sent);
  text += ", received ";
  append_unsigned(text, counters.received);
  text += ", lost ";
  append_unsigned(text, counters.lost);
  text += " (";
  append_fixed(text, result.loss_percent, 2);
  text += " %) in ";
  append_fixed(text, result.seconds, 2);
  text += " s\n";
  append_fixed(text, result.packets_per_s, 0);
  text += " replies/s, ";
  append_fixed(text, result.bytes_per_s / 1e6, 3);
  text += " MB/s\n";
  if (counters.skipped > 0) {
    append_unsigned(text, counters.skipped);
    text += " messages were not sent: this machine could not keep up the rate\n";
  }
  append_latency_report(text, "latency", counters.latency);
  return text;
}

}  // namespace netkit::echo
