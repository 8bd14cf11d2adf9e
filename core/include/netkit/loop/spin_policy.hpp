// When it pays to poll for a moment before blocking: while requests arrive one by one at short
// intervals, so that each would otherwise wait until the kernel wakes the server. Not when they
// arrive so fast that waiting makes larger batches: polling would only make them smaller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Polling is tried, and kept if it catches requests and makes them arrive faster: a peer that sets
// its own pace is not worth a CPU. How long a peer takes to react to an answer depends on what
// waking it up costs: some microseconds, or a hundred in a virtual machine. So longer polls are
// tried after shorter ones. Pure. [one thread]
class NETKIT_API SpinPolicy {
 public:
  static constexpr std::array<Duration, 3> kSpins = {
      std::chrono::microseconds(20), std::chrono::microseconds(60), std::chrono::microseconds(180)};

  // `size` messages were read in a turn of the loop, `gap` after the previous ones; `polled` tells
  // whether they arrived without a blocking wait in between. Returns how long to poll from now on,
  // 0 for not at all.
  Duration on_batch(std::size_t size, Duration gap, bool polled);

 private:
  enum class Phase : std::uint8_t { watch, trial, run, rest };
  static constexpr std::size_t kSmall = 16;    // messages; larger batches need no polling
  static constexpr unsigned kTrialAfter = 32;  // small batches close together
  static constexpr unsigned kReview = 64;      // batches; half of them must have come by polling
  static constexpr unsigned kReviews = 128;    // until it is compared again with not polling
  static constexpr unsigned kRest = 4096;      // batches without another trial
  static constexpr double kFaster = 0.85;      // of the time per request, to be kept
  static constexpr Duration kDense = std::chrono::microseconds(400);
  static constexpr Duration kFlood =
      std::chrono::microseconds(1);  // per message, or less: no polling

  Duration start(Phase phase);
  Duration on_watch(Duration gap);
  Duration after_trial();
  Duration after_review();
  void count(std::size_t size, Duration gap, bool polled);
  bool flood() const;
  bool caught_most() const { return caught_ * 2 >= batches_; }
  double interval() const;  // per message, in nanoseconds

  Phase phase_ = Phase::watch;
  std::size_t level_ = 0;  // of kSpins: the one in use, or that paid last
  unsigned dense_ = 0;     // small batches in a row
  unsigned batches_ = 0;   // in this phase, how many of them polling caught, and what they held
  unsigned caught_ = 0;
  std::size_t messages_ = 0;
  Duration elapsed_{};
  double interval_before_ = 0;  // without polling
  unsigned reviews_ = 0;
};

// [loop] Makes a loop poll while that pays off for the messages that its servers count.
class NETKIT_API Spinner {
 public:
  explicit Spinner(EventLoop& loop);
  void count() { ++messages_; }  // one came

 private:
  void end_turn();

  EventLoop& loop_;
  SpinPolicy policy_;
  std::size_t messages_ = 0;   // in this turn
  TimePoint last_;             // when some came
  std::uint64_t wakeups_ = 0;  // then
  Hook hook_;
};

}  // namespace netkit
