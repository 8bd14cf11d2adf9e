#include <algorithm>
#include <limits>
#include <new>

#include <netkit/codec/byte_buffer.hpp>

namespace netkit {

void ByteBuffer::grow(std::size_t count) {
  constexpr std::size_t kFirst = 256;
  if (count > std::numeric_limits<std::size_t>::max() / 2 - size_) throw std::bad_alloc();
  const std::size_t capacity = std::max({kFirst, capacity_ * 2, size_ + count});
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
  data_ = std::move(larger);
  capacity_ = capacity;
}

void ByteBuffer::release() {
  data_.reset();
  size_ = 0;
  capacity_ = 0;
}

}  // namespace netkit
