// Whether, when and where a client that lost its server tries again, and how it reports that: the
// policy and the wording of all clients. Pure: time and chance are arguments. Attempts
// (net/attempts.hpp) runs it on an event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// Every server is tried once a round. A round begins with the one that was connected last, if there
// was one, and continues with the others in the order of the list. How long to wait before a round
// is the caller's (Reconnect); there is no wait between the servers of one round. Pure. [one
// thread]
class NETKIT_API Failover {
 public:
  // `servers`: how many there are, at least 1. The first of the list is current() to begin with.
  explicit Failover(std::size_t servers);

  // Whether next() begins a round: the delay comes before it.
  bool round_is_over() const { return connected_ || position_ + 1 == order_.size(); }
  // Moves on to the next one after a failed attempt, or after a drop, which begins a round.
  void next();
  // The attempt succeeded: after the drop a new round begins with its server.
  void connected();
  // The index of the server that is in use or being tried.
  std::size_t current() const { return order_[position_]; }

 private:
  std::vector<std::size_t> order_;  // the servers in the order of the round
  std::size_t position_ = 0;        // of the attempt, in the round
  bool connected_ = false;
};

// Bounds for a wait, requested by the server or known to the client.
struct RetryBounds {
  Duration least = Duration::zero();
  Duration most = kNever;  // not under `least`
  static constexpr RetryBounds exactly(Duration wait) { return {wait, wait}; }
};

// Exponential with full jitter: the n-th wait since the last healthy connection is uniform between
// zero and `initial` times 2^n, at most `maximum`, so that clients that lost one server do not all
// return at once; neither counts as less than 1 ms, so that none retries in a busy loop. A
// connection that lasted for `healthy` resets the attempts. [one thread]
class NETKIT_API Reconnect {
 public:
  static constexpr std::uint64_t kNever = 0;
  static constexpr std::uint64_t kForever = UINT64_MAX;

  struct Options {
    std::uint64_t limit = kNever;  // --reconnect: attempts in a row
    Duration initial = std::chrono::milliseconds(100);
    Duration maximum = std::chrono::seconds(30);  // --reconnect-max
    Duration healthy = std::chrono::minutes(1);
  };

  // What `--reconnect` says: `never`, `forever` or a number. Throws UsageError for anything else.
  static std::uint64_t parse_limit(std::string_view text);

  explicit Reconnect(const Options& options) : options_(options) {}

  // The wait before the next attempt after one that failed or a connection that was lost at `now`;
  // none when there is to be no further attempt. `chance` is uniform in [0, 1). Bounds change this
  // wait alone: it counts like any other.
  std::optional<Duration> next(TimePoint now, double chance, RetryBounds bounds = {});
  void connected(TimePoint now);                        // an attempt succeeded
  std::uint64_t attempts() const { return attempts_; }  // since the last healthy connection

 private:
  Duration ceiling() const;

  Options options_;
  std::uint64_t attempts_ = 0;
  TimePoint connected_at_ = TimePoint::max();  // max: not connected
};

// What is reported about an outage: a line when it begins and a line when it is over. What happens
// in between is told by -v alone. `server` is its name for people, as they wrote it. [one thread]
class NETKIT_API Outage {
 public:
  struct Line {
    LogLevel level = LogLevel::info;
    std::string text;
  };

  // "SERVER: WHY", as it also appears at the end of a run that does not try again.
  static std::string sentence(std::string_view server, std::string_view why);
  // The WHY of a connection that was there: "connection lost: REASON".
  static std::string lost(std::string_view reason);

  // An attempt failed, or a connection is no more: "SERVER: WHY; trying again in 120 ms". Where
  // another server comes next: "SERVER: WHY; trying OTHER"; a wait of zero is not mentioned. WHY is
  // what was refused or lost, such as "connection refused".
  Line failed(TimePoint now, std::string_view server, std::string_view why, std::string_view next,
              Duration wait);
  // A connection is there: "SERVER: connected again after 12 s", or "connected to SERVER" (for -v)
  // where nothing was lost before.
  Line connected(TimePoint now, std::string_view server);
  bool lasts() const { return since_ != TimePoint::max(); }

 private:
  TimePoint since_ = TimePoint::max();  // max: there is none
  bool was_connected_ = false;
};

}  // namespace netkit
