// How the events of a stream arrive: when the first one does, at which intervals, in how few reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <netkit/util/clock.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit::sse {

// Pure: times come in. [one thread]
class StreamTiming {
 public:
  void on_request(TimePoint now);  // the first one counts
  // A read of the stream gave `events`.
  void on_read(TimePoint now, std::uint64_t events);

  std::uint64_t reads() const { return reads_; }
  std::optional<Duration> first_event() const { return first_event_; }  // since the request
  const LatencyHistogram& gaps() const { return gaps_; }                // from event to event
  double events_per_second() const;                                     // NaN below two events
  // "412 events came in 3 reads: something on the path buffers them", where that is so: they came
  // many at a time, and after a pause. Else nothing.
  std::string held_back() const;

 private:
  TimePoint requested_ = TimePoint::max();
  TimePoint first_at_;
  TimePoint last_at_;    // of the events
  TimePoint last_read_;  // or the request
  std::optional<Duration> first_event_;
  std::uint64_t reads_ = 0;  // that gave events
  std::uint64_t events_ = 0;
  bool was_held_ = false;
  LatencyHistogram gaps_;
};

}  // namespace netkit::sse
