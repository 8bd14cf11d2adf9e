#include <frame/request_table.hpp>
#include <utility>

namespace netkit::frame {

RequestTable::RequestTable() {
  sent_first_.fill(kNone);
  sent_last_.fill(kNone);
}

RequestTable::Slot RequestTable::allocate() {
  if (free_ == kNone) {
    entries_.emplace_back();
    return static_cast<Slot>(entries_.size() - 1);
  }
  const Slot slot = free_;
  free_ = entries_[slot].next;
  entries_[slot].next = kNone;
  return slot;
}

void RequestTable::release(Slot slot) {
  Entry& entry = entries_[slot];
  std::string wire = std::move(entry.wire);
  wire.clear();
  if (wire.capacity() > kKeptCapacity) wire = std::string();
  entry = Entry();
  entry.wire = std::move(wire);
  entry.next = free_;
  free_ = slot;
}

RequestTable::Slot RequestTable::prepare(std::uint8_t id) {
  const Slot slot = allocate();
  entries_[slot].id = id;
  return slot;
}

void RequestTable::discard(Slot slot) {
  release(slot);
}

void RequestTable::commit(Slot slot) {
  Entry& entry = entries_[slot];
  entry.number = ++number_;
  entry.previous = last_;
  (last_ == kNone ? first_ : entries_[last_].next) = slot;
  last_ = slot;
  if (unsent_ == kNone) unsent_ = slot;
  ++size_;
  bytes_ += entry.wire.size();
}

void RequestTable::unlink(Slot slot) {
  const Entry& entry = entries_[slot];
  (entry.previous == kNone ? first_ : entries_[entry.previous].next) = entry.next;
  (entry.next == kNone ? last_ : entries_[entry.next].previous) = entry.previous;
  --size_;
  bytes_ -= entry.wire.size();
}

void RequestTable::append_sent(Slot slot) {
  const std::uint8_t id = entries_[slot].id;
  (sent_last_[id] == kNone ? sent_first_[id] : entries_[sent_last_[id]].next_sent) = slot;
  sent_last_[id] = slot;
  entries_[slot].sent = true;
}

void RequestTable::mark_sent(Slot slot) {
  unsent_ = entries_[slot].next;
  if (entries_[slot].sent) ++resent_;
  append_sent(slot);
  ++sent_;
}

void RequestTable::add_own(std::uint8_t id, Kind kind) {
  const Slot slot = prepare(id);
  entries_[slot].kind = kind;
  append_sent(slot);
}

// Of those with its id only the client's own were sent before it.
void RequestTable::remove_sent(Slot slot) {
  const std::uint8_t id = entries_[slot].id;
  Slot before = kNone;
  for (Slot at = sent_first_[id]; at != slot; at = entries_[at].next_sent) before = at;
  const Slot next = entries_[slot].next_sent;
  (before == kNone ? sent_first_[id] : entries_[before].next_sent) = next;
  if (next == kNone) sent_last_[id] = before;
  if (entries_[slot].kind == Kind::user) {
    unlink(slot);
    --sent_;
  }
  release(slot);
}

RequestTable::Match RequestTable::match(std::uint8_t id) {
  const Slot slot = sent_first_[id];
  if (slot == kNone) return {};
  const Match match{true, entries_[slot].kind, entries_[slot].number};
  remove_sent(slot);
  return match;
}

bool RequestTable::forget_oldest() {
  if (first_ == kNone || first_ == unsent_) return false;
  remove_sent(first_);
  ++forgotten_;
  return true;
}

std::size_t RequestTable::clear_sent() {
  for (std::size_t id = 0; id < sent_first_.size(); ++id) {
    for (Slot slot = sent_first_[id]; slot != kNone;) {
      const Slot next = entries_[slot].next_sent;
      entries_[slot].next_sent = kNone;
      if (entries_[slot].kind != Kind::user) release(slot);
      slot = next;
    }
    sent_first_[id] = kNone;
    sent_last_[id] = kNone;
  }
  unsent_ = first_;
  return std::exchange(sent_, 0);
}

}  // namespace netkit::frame
