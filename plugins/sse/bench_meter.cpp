#include <algorithm>
#include <chrono>
#include <sse/bench_meter.hpp>

#include <fmt/format.h>

#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kRemembered = 10'000;  // events whose first reader is known
constexpr unsigned kWidth = 80;

// `p50 20   p99 25   max 31 ms`; nothing where there is nothing.
std::string times_of(const LatencyHistogram& times, bool utf8) {
  if (times.count() == 0) return {};
  // Most readers may be no later than the fastest.
  const Duration half = times.percentile(50);
  const LatencyUnit unit(half > Duration::zero() ? half : times.percentile(99), utf8);
  return fmt::format("p50 {}   p99 {}   max {}", unit.number(half),
                     unit.number(times.percentile(99)), unit.text(times.max()));
}

}  // namespace

Duration FirstTimes::lag(std::string_view id, TimePoint now) {
  if (id == last_id_) return now - last_first_;
  last_id_ = id;
  const auto [at, is_new] = times_.try_emplace(last_id_, now);
  last_first_ = at->second;
  if (!is_new) return now - last_first_;
  order_.push_back(last_id_);
  if (order_.size() > kRemembered) {
    times_.erase(order_.front());
    order_.pop_front();
  }
  return Duration::zero();
}

void BenchMeter::on_event(Reader& reader, std::string_view id, TimePoint now) {
  if (reader.events == 0) {
    firsts_.record(now - reader.started);
  } else {
    gaps_.record(now - reader.last);
    interval_.gaps.record(now - reader.last);
  }
  reader.last = now;
  most_ = std::max(most_, ++reader.events);
  ++events_;
  ++interval_.events;
  if (id.empty()) return;
  const Duration lag = first_times_.lag(id, now);
  lags_.record(lag);
  interval_.lags.record(lag);
}

void BenchMeter::on_wait(const Reader& reader, TimePoint now) {
  const bool has_had_one = reader.events != 0;
  Duration& longest = has_had_one ? wait_ : first_wait_;
  longest = std::max(longest, now - (has_had_one ? reader.last : reader.started));
}

double BenchMeter::lost() const {
  if (most_ == 0) return kNotMeasured;
  const double all = static_cast<double>(most_) * static_cast<double>(readers_);
  return 100 * (1 - static_cast<double>(events_) / all);
}

std::string BenchMeter::verdict(const BenchThresholds& thresholds) const {
  if (events_ == 0) return "no event was received";
  if (firsts_.max() > thresholds.max_first) {
    return fmt::format("a first event took {} (--max-first)", latency_text(firsts_.max()));
  }
  if (first_wait_ > thresholds.max_first) {
    return fmt::format("a reader has had no event for {} (--max-first)", latency_text(first_wait_));
  }
  if (gaps_.max() > thresholds.max_gap) {
    return fmt::format("a gap between two events was {} (--max-gap)", latency_text(gaps_.max()));
  }
  if (wait_ > thresholds.max_gap) {
    return fmt::format("a reader has had no further event for {} (--max-gap)", latency_text(wait_));
  }
  if (thresholds.max_lost && lost() > *thresholds.max_lost) {
    return fmt::format("{:.2f} % of the events are lost (--max-lost)", lost());
  }
  return {};
}

void BenchMeter::fill(Totals& totals, Duration elapsed) const {
  const auto add = [&totals](std::string_view name, const LatencyHistogram& times, double percent) {
    const double ms = std::chrono::duration<double, std::milli>(times.percentile(percent)).count();
    totals.add(name, times.count() == 0 ? kNotMeasured : ms);
  };
  const double seconds = std::chrono::duration<double>(elapsed).count();
  totals.add("readers", open_);
  totals.add("failed", failed_);
  totals.add("events", events_);
  totals.add("bytes", bytes_);
  totals.add("event_rate", seconds > 0 ? static_cast<double>(events_) / seconds : kNotMeasured);
  add("connect_p50_ms", connects_, 50);
  add("connect_max_ms", connects_, 100);
  add("first_p50_ms", firsts_, 50);
  add("first_max_ms", firsts_, 100);
  add("gap_p50_ms", gaps_, 50);
  add("gap_p99_ms", gaps_, 99);
  add("gap_max_ms", gaps_, 100);
  add("lag_p50_ms", lags_, 50);
  add("lag_p99_ms", lags_, 99);
  add("lag_max_ms", lags_, 100);
  totals.add("lost_percent", lost());
}

std::string BenchMeter::summary() const {
  const bool utf8 = locale_is_utf8();
  std::string out = fmt::format("{}, {} failed, {}\n", counted(readers_, "reader"), failed_,
                                counted(events_, "event"));
  for (const auto& [name, times] :
       {std::pair("connect", &connects_), std::pair("first event", &firsts_),
        std::pair("gap", &gaps_), std::pair("lag", &lags_)}) {
    if (times->count() != 0) out += fmt::format("{:<12} {}\n", name, times_of(*times, utf8));
  }
  return out + gaps_.render(kWidth, utf8);
}

std::string interval_row(const BenchMeter::Interval& interval, std::uint64_t readers,
                         const BenchRows::Part& part, bool utf8) {
  const double seconds = part.to - part.from;
  std::string row =
      fmt::format("{}   {}   {} events/s   {}", part_text(part), counted(readers, "reader"),
                  short_number(static_cast<double>(interval.events) / seconds),
                  short_quantity(static_cast<double>(interval.bytes) / seconds, "B/s"));
  for (const auto& [name, times] :
       {std::pair("gap", &interval.gaps), std::pair("lag", &interval.lags)}) {
    if (times->count() != 0) row += fmt::format("   {} {}", name, times_of(*times, utf8));
  }
  return row;
}

}  // namespace netkit::sse
