// Where a cutter undoes stuffing.
#pragma once

#include <cstddef>
#include <string>

namespace netkit {

class Scratch {
 public:
  // Room for `size` bytes, which stay until the next call of any function of it.
  char* room(std::size_t size) {
    if (bytes_.size() < size) bytes_.resize(size);
    return bytes_.data();
  }
  // Gives the memory back unless it is little.
  void trim() {
    if (bytes_.size() > kKept) std::string().swap(bytes_);
  }
  std::size_t memory() const { return bytes_.capacity(); }

 private:
  static constexpr std::size_t kKept = 4096;

  std::string bytes_;
};

}  // namespace netkit
