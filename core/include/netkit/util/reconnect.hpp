// Whether and when a client that lost its connection tries again: the one policy of all clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <netkit/util/backoff.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A limit on the attempts in front of a Backoff: `--reconnect never|N|forever`, `--reconnect-max`.
// A connection that held for a healthy minute gives back all attempts. Pure. [one thread]
class NETKIT_API Reconnect {
 public:
  static constexpr std::uint64_t kNever = 0;
  static constexpr std::uint64_t kForever = UINT64_MAX;

  // What `--reconnect` says: `never`, `forever` or a number. Throws UsageError for anything else.
  static std::uint64_t parse_limit(std::string_view text);

  explicit Reconnect(std::uint64_t limit, const Backoff::Options& backoff = Backoff::Options());

  // The wait before the next attempt after one that failed or a connection that was lost at `now`;
  // none when there is to be no further attempt. `chance` is uniform in [0, 1).
  std::optional<Duration> next(TimePoint now, double chance);
  void connected(TimePoint now);  // an attempt succeeded
  std::uint64_t limit() const { return limit_; }
  std::uint64_t attempts() const { return attempts_; }  // since things were last well

 private:
  Backoff backoff_;
  Duration healthy_;
  std::uint64_t limit_;
  std::uint64_t attempts_ = 0;
  TimePoint connected_at_ = TimePoint::max();  // max: not connected
};

}  // namespace netkit
