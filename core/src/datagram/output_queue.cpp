#include "datagram/chunk.hpp"

#include <cstring>
#include <type_traits>

#include <netkit/datagram/output_queue.hpp>

namespace netkit::datagram {

void OutputQueue::add(const Path& to, std::string_view head, ChunkRef&& body) {
  static_assert(std::is_trivially_destructible_v<Path> && alignof(Path) <= kAlignment);
  add_along(*new (room(sizeof(Path))) Path(to), head, std::move(body));
}

void OutputQueue::add_along(const Path& to, std::string_view head, ChunkRef&& body) {
  char* copy = room(head.size());
  if (!head.empty()) std::memcpy(copy, head.data(), head.size());
  const std::string_view shared = body ? std::string_view(body->body) : std::string_view();
  // In its place: from a temporary it would be copied before the stores that made that are done.
  Item& item = items_.emplace_back();
  item.to = &to;
  item.head = {copy, head.size()};
  item.body = shared;
  if (body) bodies_.push_back(std::move(body));
  bytes_ += head.size() + shared.size();
}

char* OutputQueue::add_room(const Path& to, std::size_t size) {
  char* const at = room(size);
  Item& item = items_.emplace_back();
  item.to = &to;
  item.head = {at, size};
  bytes_ += size;
  return at;
}

void OutputQueue::add_kept(const Path& to, std::string_view body, std::string_view head) {
  Item& item = items_.emplace_back();
  item.to = &to;
  item.head = head;
  item.body = body;
  bytes_ += item.size();
}

void OutputQueue::clear() {
  items_.clear();
  bodies_.clear();
  kept_.clear();
  block_ = 0;
  used_ = 0;
  bytes_ = 0;
}

char* OutputQueue::room(std::size_t size) {
  if (used_ + size > kBlock) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) blocks_.push_back(std::make_unique<char[]>(kBlock));
  char* at = blocks_[block_].get() + used_;
  used_ += (size + kAlignment - 1) / kAlignment * kAlignment;
  return at;
}

}  // namespace netkit::datagram
