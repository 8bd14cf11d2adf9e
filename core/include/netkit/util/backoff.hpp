// How long to wait before the next attempt to connect.
#pragma once

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Exponential with full jitter: the n-th wait since things were last well is uniform between zero
// and `initial` times 2^n, at most `maximum`, so that clients that lost one server do not come back
// all at once; neither counts as less than 1 ms, so that none comes back in a busy loop. A
// connection that held for `healthy` starts anew. Pure: time and chance are arguments. [one thread]
class NETKIT_API Backoff {
 public:
  struct Options {
    Duration initial = std::chrono::milliseconds(100);
    Duration maximum = std::chrono::seconds(30);
    Duration healthy = std::chrono::minutes(1);
  };
  Backoff() : Backoff(Options()) {}
  explicit Backoff(const Options& options) : options_(options) {}

  // The wait before the next attempt, after one that failed or a connection that was lost at `now`.
  // `chance` is uniform in [0, 1).
  Duration next(TimePoint now, double chance);
  void connected(TimePoint now);  // an attempt succeeded
  // Another first step, as an SSE server's `retry` sets it; it holds from the next wait on.
  void set_initial(Duration initial) { options_.initial = initial; }
  void reset();
  // The most that next() would give now.
  Duration ceiling() const;

 private:
  Options options_;
  unsigned failures_ = 0;
  TimePoint connected_at_ = TimePoint::max();  // max: not connected
};

}  // namespace netkit
