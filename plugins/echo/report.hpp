// What ping and bench tell people at their end.
#pragma once

#include <echo/bench_counters.hpp>
#include <echo/ping_statistics.hpp>
#include <string>
#include <string_view>

namespace netkit::echo {

// `--- PEER: 5 sent, …`, latencies, jitter, and the histogram.
std::string ping_report(std::string_view peer, const PingStatistics& statistics);
// Two or three lines, latencies, and the histogram.
std::string bench_report(const BenchCounters& counters, const BenchResult& result);

}  // namespace netkit::echo
