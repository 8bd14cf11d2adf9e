// Records that go out together, in one block of memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::push {

// [one thread] Allocates only while it grows.
class RecordBatch {
 public:
  void add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }
  void clear() {
    bytes_.clear();
    ends_.clear();
  }
  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::size_t bytes() const { return bytes_.size(); }
  // Valid until add() or clear().
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }
  void swap(RecordBatch& other) noexcept {
    bytes_.swap(other.bytes_);
    ends_.swap(other.ends_);
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

}  // namespace netkit::push
