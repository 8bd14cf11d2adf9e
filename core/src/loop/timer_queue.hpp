// The timers of one event loop. Adding, cancelling and taking the next are O(log n).
#pragma once

#include "util/indexed_heap.hpp"

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include <netkit/util/clock.hpp>

namespace netkit {

// [loop] A cancelled timer's function lives until release_cancelled(), because it may be the one
// that is running.
class TimerQueue {
 public:
  using Id = std::uint64_t;  // never 0

  // `period` 0: once.
  Id add(TimePoint due, Duration period, std::function<void()> callback);
  void cancel(Id id);
  bool pending(Id id) const;
  std::optional<TimePoint> next_due() const;
  // Runs what is due at `now`, in the order of due times and then of making; what callbacks add
  // waits for the next call, so that a timer that renews itself at once cannot hold the loop.
  // Returns how many ran.
  std::size_t run_due(TimePoint now);
  void release_cancelled();
  // Cancels all and releases their functions, which may own what cancels further timers.
  void clear();

 private:
  struct Entry {
    std::function<void()> callback;
    Duration period{};
    std::uint32_t generation = 0;
    bool used = false;
  };
  struct Due {
    TimePoint time;
    std::uint64_t sequence = 0;
    friend auto operator<=>(const Due&, const Due&) = default;
  };

  struct Ended;

  Entry* find(Id id);
  const Entry* find(Id id) const;
  Id id_of(std::uint32_t slot) const;

  std::deque<Entry> entries_;  // stable addresses while callbacks run
  IndexedHeap<Due> due_;       // by slot
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> cancelled_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace netkit
