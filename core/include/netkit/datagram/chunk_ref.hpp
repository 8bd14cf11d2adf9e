// What many sessions send, shared by them without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <netkit/util/export.hpp>

namespace netkit::datagram {

struct Chunk;  // the body of a datagram, encoded once

// The reference count of a chunk.
struct ChunkCount {
  ChunkCount() = default;
  ChunkCount(const ChunkCount& /*other*/) {}  // who holds the one does not hold the other
  ChunkCount& operator=(const ChunkCount& /*other*/) { return *this; }
  ~ChunkCount() = default;
  mutable std::uint32_t holders = 0;
};

// A reference to a chunk, or to nothing. Half the size of std::shared_ptr: every session has one
// for each datagram in flight. [one thread]
class NETKIT_API ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(std::unique_ptr<Chunk> made);
  ChunkRef(const ChunkRef& other) noexcept : chunk_(other.chunk_) {
    if (chunk_ != nullptr) ++chunk_->holders;
  }
  ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  ChunkRef& operator=(const ChunkRef& other) noexcept { return *this = ChunkRef(other); }
  ChunkRef& operator=(ChunkRef&& other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~ChunkRef() {
    if (chunk_ != nullptr && --chunk_->holders == 0) destroy();
  }
  void reset() { *this = ChunkRef(); }
  explicit operator bool() const { return chunk_ != nullptr; }
  const Chunk& operator*() const;
  const Chunk* operator->() const;

 private:
  void destroy();
  const ChunkCount* chunk_ = nullptr;  // the part of a Chunk
};

}  // namespace netkit::datagram
