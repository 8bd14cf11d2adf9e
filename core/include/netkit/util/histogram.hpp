// Latencies, counted so that percentiles can be computed without keeping every value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A log-linear histogram of durations (like HdrHistogram): exact below 256 ns, and 128 buckets for
// each doubling above, so that a percentile is within 0.4 % of the true value, up to 18 minutes;
// what is longer is counted in the last bucket, and exact only in the maximum and the mean. Fixed
// memory (34 KiB), O(1) and without allocation per value. [one thread]
class NETKIT_API LatencyHistogram {
 public:
  LatencyHistogram();

  void record(Duration value) { record(value, 1); }
  void record(Duration value, std::uint64_t times);  // negative values count as zero
  void merge(const LatencyHistogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  // All zero while nothing is recorded.
  Duration min() const;
  Duration max() const { return Duration(max_); }
  Duration mean() const;
  // The smallest value that at least `percent` per cent of the values do not exceed: 50 is the
  // median, 0 the minimum, 100 the maximum.
  Duration percentile(double percent) const;

  // A line for each power of two within which there are values, of at most `width` columns (40 at
  // least), each with a newline: the upper end, a bar and a share. Bars are of eighth blocks where
  // `utf8`, else of `#`; a dot means too few to draw. Empty below 20 values, which have no shape
  // yet.
  std::string render(unsigned width, bool utf8) const;

  // The samples of a histogram as Prometheus has them, in seconds: `NAME_bucket`, cumulative,
  // `NAME_sum` and `NAME_count`. `labels` as `target="a"`, or empty.
  void append_samples(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::uint64_t count_up_to(std::int64_t high) const;

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::int64_t min_ = INT64_MAX;
  std::int64_t max_ = 0;
};

// A latency as people type it, with three digits and a unit: `850ns`, `17.2us`, `1.25ms`, `3.00s`.
NETKIT_API std::string latency_text(Duration latency);

// A unit for all latencies of a line: that in which `typical` reads best. Any thread.
class NETKIT_API LatencyUnit {
 public:
  // `utf8`: µs instead of us.
  LatencyUnit(Duration typical, bool utf8);
  std::string_view name() const { return name_; }
  std::string number(Duration latency) const;  // `8.4`, `71`, `3,460`
  std::string text(Duration latency) const;    // with its name: `8.4 us`

 private:
  std::string_view name_;
  double nanoseconds_;
};

}  // namespace netkit
