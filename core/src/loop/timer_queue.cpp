#include "loop/timer_queue.hpp"

#include <utility>

namespace netkit {

TimerQueue::Id TimerQueue::add(TimePoint due, Duration period, std::function<void()> callback) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[slot];
  entry.callback = std::move(callback);
  entry.due = due;
  entry.period = period;
  entry.used = true;
  push(slot);
  return (static_cast<Id>(entry.generation) << 32 | slot) + 1;
}

TimerQueue::Entry* TimerQueue::find(Id id) {
  return const_cast<Entry*>(std::as_const(*this).find(id));
}

const TimerQueue::Entry* TimerQueue::find(Id id) const {
  if (id == 0) return nullptr;
  const auto slot = static_cast<std::uint32_t>((id - 1) & 0xffffffff);
  if (slot >= entries_.size()) return nullptr;
  const Entry& entry = entries_[slot];
  return entry.used && entry.generation == (id - 1) >> 32 ? &entry : nullptr;
}

void TimerQueue::cancel(Id id) {
  Entry* entry = find(id);
  if (entry == nullptr) return;
  if (entry->heap_index >= 0) remove(static_cast<std::size_t>(entry->heap_index));
  entry->used = false;
  ++entry->generation;
  cancelled_.push_back(static_cast<std::uint32_t>((id - 1) & 0xffffffff));
}

bool TimerQueue::pending(Id id) const {
  const Entry* entry = find(id);
  return entry != nullptr && entry->heap_index >= 0;
}

std::optional<TimePoint> TimerQueue::next_due() const {
  if (heap_.empty()) return std::nullopt;
  return entries_[heap_.front()].due;
}

std::size_t TimerQueue::run_due(TimePoint now) {
  const std::uint64_t limit = next_sequence_;
  std::size_t count = 0;
  while (!heap_.empty()) {
    const std::uint32_t slot = heap_.front();
    Entry& entry = entries_[slot];
    if (entry.due > now || entry.sequence >= limit) break;
    const Id id = (static_cast<Id>(entry.generation) << 32 | slot) + 1;
    remove(0);
    if (entry.period > Duration::zero()) {
      const TimePoint next = saturating_add(entry.due, entry.period);
      entry.due = next > now ? next : saturating_add(now, entry.period);
      push(slot);
    }
    entry.callback();
    ++count;
    if (const Entry* after = find(id); after != nullptr && after->heap_index < 0) cancel(id);
  }
  return count;
}

void TimerQueue::clear() {
  for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
    if (entries_[slot].used) cancel((static_cast<Id>(entries_[slot].generation) << 32 | slot) + 1);
  }
  release_cancelled();
}

void TimerQueue::release_cancelled() {
  // A function's destructor may cancel further timers.
  while (!cancelled_.empty()) {
    std::vector<std::uint32_t> slots;
    slots.swap(cancelled_);
    for (const std::uint32_t slot : slots) {
      std::exchange(entries_[slot].callback, nullptr);
      free_.push_back(slot);
    }
  }
}

bool TimerQueue::before(std::uint32_t a, std::uint32_t b) const {
  const Entry& x = entries_[a];
  const Entry& y = entries_[b];
  return x.due != y.due ? x.due < y.due : x.sequence < y.sequence;
}

void TimerQueue::push(std::uint32_t slot) {
  entries_[slot].sequence = next_sequence_++;
  heap_.push_back(slot);
  place(heap_.size() - 1, slot);
  sift_up(heap_.size() - 1);
}

void TimerQueue::remove(std::size_t index) {
  entries_[heap_[index]].heap_index = -1;
  const std::uint32_t last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  place(index, last);
  sift_up(index);
  sift_down(static_cast<std::size_t>(entries_[last].heap_index));
}

void TimerQueue::sift_up(std::size_t index) {
  const std::uint32_t slot = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!before(slot, heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, slot);
}

void TimerQueue::sift_down(std::size_t index) {
  const std::uint32_t slot = heap_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], slot)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, slot);
}

void TimerQueue::place(std::size_t index, std::uint32_t slot) {
  heap_[index] = slot;
  entries_[slot].heap_index = static_cast<std::int64_t>(index);
}

}  // namespace netkit
