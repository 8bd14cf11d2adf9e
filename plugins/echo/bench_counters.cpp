#include <echo/bench_counters.hpp>

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

}  // namespace netkit::echo
