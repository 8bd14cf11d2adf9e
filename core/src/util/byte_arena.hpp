// Bytes that are kept until all of them may go.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace netkit {

// Copies stay where they are until clear(), which keeps the memory for the next ones. [one thread]
// Allocates only while it grows.
class ByteArena {
 public:
  static constexpr std::size_t kMost = 65'536;  // bytes at a time; any datagram is shorter

  // Of at most kMost bytes.
  std::string_view keep(std::string_view bytes) {
    char* const copy = room(bytes.size());
    if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }

  void clear() { block_ = used_ = size_ = 0; }

  std::size_t size() const { return size_; }  // bytes kept

 private:
  char* room(std::size_t size) {
    if (used_ + size > kMost) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<char[]>(kMost));
    char* const at = blocks_[block_].get() + used_;
    used_ += size;
    size_ += size;
    return at;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_ = 0;  // the one in use
  std::size_t used_ = 0;   // of it
  std::size_t size_ = 0;
};

}  // namespace netkit
