// The next thing to do of many sessions: a binary heap of deadlines, one per index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// O(log n) to set, O(1) to look. A session whose deadline only moved away is left where it is and
// looked at too early once, so that the timers of a busy session cost nothing per datagram.
class DeadlineHeap {
 public:
  bool empty() const { return heap_.empty(); }
  TimePoint next() const { return heap_.empty() ? TimePoint::max() : heap_[0].time; }
  std::uint32_t next_index() const { return heap_[0].index; }

  void set(std::uint32_t index, TimePoint time) {
    if (index >= positions_.size()) positions_.resize(index + 1, kNone);
    std::uint32_t at = positions_[index];
    if (at == kNone) {
      at = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back({time, index});
      positions_[index] = at;
    }
    heap_[at].time = time;
    down(up(at));
  }

  // As set(), but only when `time` is earlier than what is there.
  void lower(std::uint32_t index, TimePoint time) {
    if (index < positions_.size() && positions_[index] != kNone &&
        heap_[positions_[index]].time <= time) {
      return;
    }
    set(index, time);
  }

  void remove(std::uint32_t index) {
    if (index >= positions_.size() || positions_[index] == kNone) return;
    const std::uint32_t at = positions_[index];
    swap(at, static_cast<std::uint32_t>(heap_.size() - 1));
    heap_.pop_back();
    positions_[index] = kNone;
    if (at < heap_.size()) down(up(at));
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Entry {
    TimePoint time;
    std::uint32_t index;
  };

  void swap(std::uint32_t a, std::uint32_t b) {
    std::swap(heap_[a], heap_[b]);
    positions_[heap_[a].index] = a;
    positions_[heap_[b].index] = b;
  }

  std::uint32_t up(std::uint32_t at) {
    while (at > 0 && heap_[at].time < heap_[(at - 1) / 2].time) {
      swap(at, (at - 1) / 2);
      at = (at - 1) / 2;
    }
    return at;
  }

  void down(std::uint32_t at) {
    for (;;) {
      std::uint32_t least = at;
      for (std::uint32_t child = 2 * at + 1; child <= 2 * at + 2; ++child) {
        if (child < heap_.size() && heap_[child].time < heap_[least].time) least = child;
      }
      if (least == at) return;
      swap(at, least);
      at = least;
    }
  }

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> positions_;  // in heap_, by index
};

}  // namespace netkit::datagram
