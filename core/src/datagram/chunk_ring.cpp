#include <algorithm>

#include <netkit/datagram/chunk.hpp>

namespace netkit::datagram {

ChunkRing::ChunkRing(std::size_t keep, std::size_t keep_bytes)
    : keep_(keep), keep_bytes_(keep_bytes) {}

void ChunkRing::add(std::span<const ChunkRef> chunks) {
  for (const ChunkRef& chunk : chunks) {
    if (chunk->first_record == 0) continue;
    chunks_.push_back(chunk);
    records_ += chunk->begun();
    bytes_ += chunk->body.size();
  }
  while (!chunks_.empty() &&
         (records_ - chunks_.front()->begun() >= keep_ || bytes_ > keep_bytes_)) {
    drop_front();
  }
  // What is left of a message whose begin is gone is of no use to anybody.
  while (!chunks_.empty() && chunks_.front()->begun() == 0) drop_front();
}

void ChunkRing::drop_front() {
  records_ -= chunks_.front()->begun();
  bytes_ -= chunks_.front()->body.size();
  chunks_.pop_front();
}

std::vector<ChunkRef> ChunkRing::since(std::uint64_t record) const {
  // The first chunk in which a message of this number or a later one begins.
  const auto begins = [&](const ChunkRef& chunk) {
    return chunk->begun() > 0 && chunk->last_record() >= record;
  };
  return {std::find_if(chunks_.begin(), chunks_.end(), begins), chunks_.end()};
}

std::uint64_t ChunkRing::first_record() const {
  if (chunks_.empty()) return 0;
  const Chunk& front = *chunks_.front();
  return front.first_record + (front.continues ? 1 : 0);
}

std::uint64_t ChunkRing::last_record() const {
  return chunks_.empty() ? 0 : chunks_.back()->last_record();
}

}  // namespace netkit::datagram
