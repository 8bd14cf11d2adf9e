#include "loop/timer_queue.hpp"

#include <utility>

#include <netkit/util/slot_list.hpp>

namespace netkit {

namespace {

std::uint32_t slot_of(TimerQueue::Id id) {
  return static_cast<std::uint32_t>((id - 1) & 0xffffffff);
}

}  // namespace

// One that has run, and was not set again: by whatever way its function ended.
struct TimerQueue::Ended {
  TimerQueue& queue;
  Id id;
  ~Ended() {
    if (queue.find(id) != nullptr && !queue.due_.contains(slot_of(id))) queue.cancel(id);
  }
};

TimerQueue::Id TimerQueue::id_of(std::uint32_t slot) const {
  return (static_cast<Id>(entries_[slot].generation) << 32 | slot) + 1;
}

TimerQueue::Id TimerQueue::add(TimePoint due, Duration period, std::function<void()> callback) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
    // Cancelling, which destructors do, has to find room.
    reserve_for(entries_.size(), cancelled_);
    reserve_for(entries_.size(), free_);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  due_.set(slot, {due, next_sequence_++});
  Entry& entry = entries_[slot];
  entry.callback = std::move(callback);
  entry.period = period;
  entry.used = true;
  return id_of(slot);
}

TimerQueue::Entry* TimerQueue::find(Id id) {
  return const_cast<Entry*>(std::as_const(*this).find(id));
}

const TimerQueue::Entry* TimerQueue::find(Id id) const {
  if (id == 0 || slot_of(id) >= entries_.size()) return nullptr;
  const Entry& entry = entries_[slot_of(id)];
  return entry.used && entry.generation == (id - 1) >> 32 ? &entry : nullptr;
}

void TimerQueue::cancel(Id id) {
  Entry* entry = find(id);
  if (entry == nullptr) return;
  due_.remove(slot_of(id));
  entry->used = false;
  ++entry->generation;
  cancelled_.push_back(slot_of(id));
}

bool TimerQueue::pending(Id id) const {
  return find(id) != nullptr && due_.contains(slot_of(id));
}

std::optional<TimePoint> TimerQueue::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().time;
}

std::size_t TimerQueue::run_due(TimePoint now) {
  const std::uint64_t limit = next_sequence_;
  std::size_t count = 0;
  while (!due_.empty()) {
    const Due due = due_.top();
    if (due.time > now || due.sequence >= limit) break;
    const std::uint32_t slot = due_.top_index();
    const Id id = id_of(slot);
    const Entry& entry = entries_[slot];
    if (entry.period > Duration::zero()) {
      const TimePoint next = saturating_add(due.time, entry.period);
      due_.set(slot, {next > now ? next : saturating_add(now, entry.period), next_sequence_++});
    } else {
      due_.remove(slot);
    }
    const Ended ended{*this, id};
    entry.callback();
    ++count;
  }
  return count;
}

void TimerQueue::clear() {
  for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
    if (entries_[slot].used) cancel(id_of(slot));
  }
  release_cancelled();
}

void TimerQueue::release_cancelled() {
  // A function's destructor may cancel further timers.
  while (!cancelled_.empty()) {
    const std::uint32_t slot = cancelled_.back();
    cancelled_.pop_back();
    std::exchange(entries_[slot].callback, nullptr);
    free_.push_back(slot);
  }
}

}  // namespace netkit
