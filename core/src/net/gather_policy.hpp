// When it pays to sleep for a moment before reading: while so much arrives that a server which is
// woken by each datagram finds only a few at a time, and spends its own time and the senders' on
// waking up. Larger batches also answer each peer with more datagrams at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Whether peers wait for their answers before they send more is not known beforehand: with few
// messages in flight a pause only slows them down. So a pause is tried, kept while as much arrives
// with it as without, and compared again now and then. Pure. [one thread]
class NETKIT_API GatherPolicy {
 public:
  static constexpr Duration kPause = std::chrono::microseconds(50);

  // A batch of `size` messages was read `gap` after the batch before. Returns how long to sleep
  // before the next, 0 for not at all.
  Duration on_batch(std::size_t size, Duration gap);

 private:
  enum class Phase : std::uint8_t { measure, trial, run, rest };
  static constexpr unsigned kMeasured = 256;  // batches without a pause
  static constexpr unsigned kTrial = 64;      // with it; the length of a spell, too
  static constexpr unsigned kSpells = 32;     // with it, until it is compared again
  static constexpr unsigned kRest = 512;      // after a trial that failed; twice as long each time
  static constexpr unsigned kMostRest = kRest << 11;
  static constexpr Duration kFlood = std::chrono::microseconds(5);   // per message, or less
  static constexpr Duration kLong = std::chrono::microseconds(400);  // somebody else had the CPU
  static constexpr unsigned kEnough = 32;  // messages per batch that need no pause
  static constexpr unsigned kFew = 8;      // that are not worth one

  Duration start(Phase phase);
  Duration after_measure();
  Duration after_trial();
  Duration after_spell();
  double interval() const;  // per message, in nanoseconds
  double mean() const;      // messages per batch

  Phase phase_ = Phase::measure;
  unsigned batches_ = 0;  // in this phase, and what came with them
  std::size_t messages_ = 0;
  Duration elapsed_{};
  double interval_before_ = 0;  // without a pause
  double mean_before_ = 0;
  unsigned spells_ = 0;
  unsigned rest_ = kRest;  // the next one
};

}  // namespace netkit
