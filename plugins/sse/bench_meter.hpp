// What the readers of `sse bench` have received.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <netkit/plugin/bench_rows.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit::sse {

// Exceeding one of these makes the exit status 1.
struct BenchThresholds {
  Duration max_first = kNever;
  Duration max_gap = kNever;
  std::optional<double> max_lost{};  // in per cent
};

// When the fastest reader had each of the last events. [one thread]
class FirstTimes {
 public:
  // How much later than the fastest it is.
  Duration lag(std::string_view id, TimePoint now);

 private:
  std::unordered_map<std::string, TimePoint> times_;
  std::deque<std::string> order_;
  // Most readers have the event that the one before had.
  std::string last_id_;
  TimePoint last_first_;
};

// [one thread]
class BenchMeter {
 public:
  // What one reader has received.
  struct Reader {
    TimePoint started{};  // to connect
    TimePoint last{};     // had an event
    std::uint64_t events = 0;
  };
  // What all of them received within an interval.
  struct Interval {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    LatencyHistogram gaps{};
    LatencyHistogram lags{};
  };

  explicit BenchMeter(std::size_t readers) : readers_(readers) {}

  void on_connected(Duration time) { connects_.record(time); }
  void on_bytes(std::size_t size) { bytes_ += size, interval_.bytes += size; }
  void on_open() { ++open_; }
  void on_event(Reader& reader, std::string_view id, TimePoint now);
  // The run ends while an open reader waits for its next event, or its first one.
  void on_wait(const Reader& reader, TimePoint now);
  void on_end() { --open_; }  // of a reader that was open
  void on_failed() { ++failed_; }
  std::uint64_t failed() const { return failed_; }

  // Of the events that the reader with the most has had, what the others lack, in per cent.
  double lost() const;
  // What is beyond the thresholds; nothing where all is within them.
  std::string verdict(const BenchThresholds& thresholds) const;
  void fill(Totals& totals, Duration elapsed) const;
  // For people, at the end.
  std::string summary() const;

  std::uint64_t open() const { return open_; }
  // Since the last time.
  Interval take_interval() { return std::exchange(interval_, {}); }

 private:
  std::size_t readers_;
  FirstTimes first_times_;
  LatencyHistogram connects_;
  LatencyHistogram firsts_;
  LatencyHistogram gaps_;
  LatencyHistogram lags_;
  Interval interval_;
  Duration first_wait_{};  // the longest at the end
  Duration wait_{};        // the same, of those who had an event
  std::uint64_t bytes_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t most_ = 0;  // that a reader has had
  std::uint64_t open_ = 0;
  std::uint64_t failed_ = 0;
};

// `  0-1   s   100 readers   4,950 events/s   590 kB/s   gap p50 20   p99 25   max 31 ms   lag …`.
std::string interval_row(const BenchMeter::Interval& interval, std::uint64_t readers,
                         const BenchRows::Part& part, bool utf8);

}  // namespace netkit::sse
