// A buffer for output that is put together from many small pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace netkit {

// Grows like a string, but does not initialize memory that is about to be overwritten, and keeps
// its allocation when it is cleared. Not thread-safe; throws nothing but std::bad_alloc.
class ByteBuffer {
 public:
  // Returns room for at least `count` bytes after the content; the pointer is valid until the next
  // call of reserve() or append(). commit() says how many of them were filled.
  char* reserve(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return data_.get() + size_;
  }
  void commit(std::size_t count) { size_ += count; }

  [[gnu::always_inline]] void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append(char byte) {
    *reserve(1) = byte;
    ++size_;
  }

  void clear() { size_ = 0; }
  void release() { *this = ByteBuffer(); }  // clears it and gives the memory back
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  void grow(std::size_t count);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

inline void ByteBuffer::grow(std::size_t count) {
  constexpr std::size_t kFirst = 256;
  if (count > std::numeric_limits<std::size_t>::max() / 2 - size_) throw std::bad_alloc();
  const std::size_t capacity = std::max({kFirst, capacity_ * 2, size_ + count});
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
  data_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace netkit
