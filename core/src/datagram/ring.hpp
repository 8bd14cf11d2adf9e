// A growing circular queue that takes no memory while it is empty for long.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace netkit::datagram {

// What std::deque would be if an empty one were 24 bytes. Elements are value-initialised. Room that
// was only needed for a burst is given back.
template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return slots_[place(i)]; }
  const T& operator[](std::size_t i) const { return slots_[place(i)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  // A new element, value-initialised, for the caller to fill in: one that was made elsewhere would
  // be copied from stores that have not left the processor's store buffer, which it waits for.
  T& push_back() {
    if (size_ == capacity_) grow();
    T& added = (*this)[size_++];
    if (size_ > most_) most_ = size_;
    return added;
  }
  void pop_front() {
    front() = T{};
    head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
    if (--size_ == 0) give_back();
  }
  void clear() { *this = Ring{}; }
  void release_if_empty() {
    if (size_ == 0 && capacity_ > 0) clear();
  }

 private:
  std::size_t place(std::size_t i) const {
    const std::size_t at = head_ + i;
    return at < capacity_ ? at : at - capacity_;
  }
  void grow() {
    const std::uint32_t wanted = capacity_ + std::max(capacity_ / 4, std::uint32_t{4});
    auto larger = std::make_unique<T[]>(wanted);
    for (std::uint32_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    capacity_ = wanted;
    head_ = 0;
  }
  void give_back() {
    if (std::exchange(most_, 0) <= capacity_ / 4 && capacity_ > kSmall) clear();
  }

  static constexpr std::uint32_t kSmall = 8;
  std::unique_ptr<T[]> slots_;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t most_ = 0;  // at once, since it was empty
};

}  // namespace netkit::datagram
