// A binary heap of keys, at most one for each index: the next thing to do of many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace netkit {

// The least key is on top. O(log n) to set and to remove, O(1) to look. Indexes are small: each
// takes 4 bytes up to the highest. [one thread]
template <typename Key>
class IndexedHeap {
 public:
  bool empty() const { return heap_.empty(); }
  const Key& top() const { return heap_[0].key; }  // of one that is not empty, as top_index()
  std::uint32_t top_index() const { return heap_[0].index; }
  bool contains(std::uint32_t index) const {
    return index < positions_.size() && positions_[index] != kNone;
  }

  void set(std::uint32_t index, const Key& key) {
    if (!contains(index)) {
      if (index >= positions_.size()) positions_.resize(index + 1, kNone);
      heap_.push_back({key, index});
      positions_[index] = static_cast<std::uint32_t>(heap_.size() - 1);
    }
    const std::uint32_t at = positions_[index];
    heap_[at].key = key;
    sift_down(sift_up(at));
  }

  // As set(), but only when `key` is less than what is there. A deadline that only moved away is
  // left where it is, and looked at too early once, so that what is busy costs nothing each time.
  void lower(std::uint32_t index, const Key& key) {
    if (contains(index) && !(key < heap_[positions_[index]].key)) return;
    set(index, key);
  }

  void remove(std::uint32_t index) {
    if (!contains(index)) return;
    const std::uint32_t at = std::exchange(positions_[index], kNone);
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    place(at, last);
    sift_down(sift_up(at));
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Entry {
    Key key;
    std::uint32_t index;
  };

  void place(std::uint32_t at, const Entry& entry) {
    heap_[at] = entry;
    positions_[entry.index] = at;
  }

  std::uint32_t sift_up(std::uint32_t at) {
    const Entry entry = heap_[at];
    for (; at > 0; at = (at - 1) / 2) {
      const Entry& parent = heap_[(at - 1) / 2];
      if (!(entry.key < parent.key)) break;
      place(at, parent);
    }
    place(at, entry);
    return at;
  }

  void sift_down(std::uint32_t at) {
    const Entry entry = heap_[at];
    for (;;) {
      std::uint32_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].key < heap_[child].key) ++child;
      if (!(heap_[child].key < entry.key)) break;
      place(at, heap_[child]);
      at = child;
    }
    place(at, entry);
  }

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> positions_;  // in heap_, by index
};

}  // namespace netkit
