// What a load test counts, and the reports of ping and bench.
#pragma once

#include <cstdint>
#include <echo/ping_statistics.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/plugin/bench_rows.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit::echo {

struct BenchCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  // replies, each message's once
  std::uint64_t lost = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;     // replies to what counted as lost already
  std::uint64_t skipped = 0;  // not sent at all, since the test itself could not keep up the rate
  std::uint64_t refused = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  LatencyHistogram latency;

  double loss_percent() const;  // of what is settled; kNotMeasured where nothing is
};

// What a load test counted in an interval.
struct BenchInterval {
  std::uint64_t received = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  LatencyHistogram latency;
};
// `  0-1   s   1,772,145 replies/s   113 MB/s   0 lost   p50 67   p99 157   max 3,460 µs`.
std::string interval_row(const BenchInterval& interval, const BenchRows::Part& part, bool utf8);

// The totals of ping and bench, by their names. What was not measured is kNotMeasured.
using Numbers = std::vector<std::pair<std::string_view, Totals::Value>>;
Numbers ping_numbers(const PingStatistics& statistics);

// What is shown at the end, worked out from the counters and how long sending lasted.
struct BenchResult {
  double seconds = 0;
  double packets_per_s = kNotMeasured;  // replies
  double bytes_per_s = kNotMeasured;    // of replies, payload
  double loss_percent = kNotMeasured;
};
BenchResult summarize(const BenchCounters& counters, Duration elapsed);
Numbers bench_numbers(const BenchCounters& counters, const BenchResult& result);

// `--- PEER: 5 sent, …`, latencies with the jitter, and the histogram. `utf8`: the terminal shows
// more than ASCII.
std::string ping_report(std::string_view peer, const PingStatistics& statistics, bool utf8);
// Replies, rate, latencies, and the histogram.
std::string bench_report(const BenchCounters& counters, const BenchResult& result, bool utf8);

}  // namespace netkit::echo
