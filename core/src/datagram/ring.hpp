// A growing circular queue that takes no memory while it is empty for long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace netkit::datagram {

// What std::deque would be if an empty one were 16 bytes. Elements are value-initialised.
template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return slots_[(head_ + i) & (capacity_ - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(head_ + i) & (capacity_ - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  // A new element, value-initialised, for the caller to fill in: one that was made elsewhere would
  // be copied from stores that have not left the processor's store buffer, which it waits for.
  T& push_back() {
    if (size_ == capacity_) grow();
    return (*this)[size_++];
  }
  void pop_front() {
    front() = T{};
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
  }
  void clear() { *this = Ring{}; }
  void release_if_empty() {
    if (size_ == 0 && capacity_ > 0) clear();
  }

 private:
  void grow() {
    const std::uint32_t wanted = capacity_ == 0 ? 4 : capacity_ * 2;
    auto larger = std::make_unique<T[]>(wanted);
    for (std::uint32_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    capacity_ = wanted;
    head_ = 0;
  }

  std::unique_ptr<T[]> slots_;
  std::uint32_t capacity_ = 0;  // a power of two, or 0
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace netkit::datagram
