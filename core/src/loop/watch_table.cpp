#include "loop/watch_table.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/slot_list.hpp>

namespace netkit {
namespace {

bool wants(Interest interest, Interest what) {
  return (static_cast<unsigned>(interest) & static_cast<unsigned>(what)) != 0;
}

std::uint32_t epoll_bits(Interest interest) {
  std::uint32_t bits = 0;
  if (wants(interest, Interest::read)) bits |= EPOLLIN;
  if (wants(interest, Interest::write)) bits |= EPOLLOUT;
  return bits;
}

}  // namespace

WatchTable::WatchTable() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw SystemError(errno, "cannot create an epoll descriptor");
}

WatchTable::Handle WatchTable::add(int fd, Interest interest, std::function<void(Ready)> callback) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
    // Ending, which destructors do, has to find room.
    reserve_for(slots_.size(), ended_);
    reserve_for(slots_.size(), free_);
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.callback = std::move(callback);
  slot.fd = fd;
  slot.interest = Interest::none;
  slot.in_epoll = false;
  slot.always_ready = false;
  slot.used = true;
  try {
    change(index, interest);
  } catch (...) {
    end(index, slot.generation);
    throw;
  }
  return {index, slot.generation};
}

bool WatchTable::current(std::uint32_t slot, std::uint32_t generation) const {
  return slot < slots_.size() && slots_[slot].used && slots_[slot].generation == generation;
}

void WatchTable::set(std::uint32_t slot, std::uint32_t generation, Interest interest) {
  if (current(slot, generation) && slots_[slot].interest != interest) change(slot, interest);
}

Interest WatchTable::interest(std::uint32_t slot, std::uint32_t generation) const {
  return current(slot, generation) ? slots_[slot].interest : Interest::none;
}

void WatchTable::change(std::uint32_t index, Interest interest) {
  Slot& slot = slots_[index];
  slot.interest = interest;
  if (slot.always_ready) return;
  if (interest == Interest::none) {
    // Without interest HUP and ERR would still wake the loop, again and again: so it is not watched
    // at all.
    if (slot.in_epoll) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot.fd, nullptr);
    slot.in_epoll = false;
    return;
  }
  epoll_event event{};
  event.events = epoll_bits(interest);
  event.data.u64 = static_cast<std::uint64_t>(slot.generation) << 32 | index;
  if (::epoll_ctl(epoll_.get(), slot.in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, slot.fd, &event) ==
      0) {
    slot.in_epoll = true;
    return;
  }
  if (errno != EPERM) throw SystemError(errno, fmt::format("cannot watch descriptor {}", slot.fd));
  slot.always_ready = true;
  always_ready_.push_back({index, slot.generation});
}

void WatchTable::end(std::uint32_t index, std::uint32_t generation) {
  if (!current(index, generation)) return;
  Slot& slot = slots_[index];
  if (slot.in_epoll) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot.fd, nullptr);
  slot.in_epoll = false;
  slot.interest = Interest::none;
  slot.used = false;
  ++slot.generation;
  ended_.push_back(index);
}

void WatchTable::dispatch(const epoll_event& event) {
  const auto index = static_cast<std::uint32_t>(event.data.u64 & 0xffffffff);
  const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
  if (!current(index, generation)) return;
  Slot& slot = slots_[index];
  Ready ready;
  ready.hangup = (event.events & EPOLLHUP) != 0;
  ready.error = (event.events & EPOLLERR) != 0;
  const bool woken = ready.hangup || ready.error;
  // The interest may have changed since the event was fetched.
  ready.readable = wants(slot.interest, Interest::read) && (woken || (event.events & EPOLLIN) != 0);
  ready.writable =
      wants(slot.interest, Interest::write) && (woken || (event.events & EPOLLOUT) != 0);
  const bool failed = woken && slot.interest == Interest::failure;
  if (ready.readable || ready.writable || failed) slot.callback(ready);
}

void WatchTable::dispatch_always_ready() {
  for (std::size_t i = 0; i < always_ready_.size(); ++i) {
    const Handle handle = always_ready_[i];
    if (!current(handle.slot, handle.generation)) continue;
    Slot& slot = slots_[handle.slot];
    if (slot.interest == Interest::none) continue;
    Ready ready;
    ready.readable = wants(slot.interest, Interest::read);
    ready.writable = wants(slot.interest, Interest::write);
    slot.callback(ready);
  }
}

bool WatchTable::has_always_ready() const {
  for (const Handle& handle : always_ready_) {
    if (current(handle.slot, handle.generation) && slots_[handle.slot].interest != Interest::none)
      return true;
  }
  return false;
}

void WatchTable::clear() {
  for (std::uint32_t index = 0; index < slots_.size(); ++index)
    end(index, slots_[index].generation);
  release_ended();
}

void WatchTable::release_ended() {
  if (ended_.empty()) return;
  std::erase_if(always_ready_,
                [this](const Handle& handle) { return !current(handle.slot, handle.generation); });
  // A function's destructor may end further watches.
  while (!ended_.empty()) {
    const std::uint32_t index = ended_.back();
    ended_.pop_back();
    std::exchange(slots_[index].callback, nullptr);
    free_.push_back(index);
  }
}

}  // namespace netkit
