#include "util/indexed_heap.hpp"

#include <algorithm>
#include <map>
#include <new>
#include <random>

#include <gtest/gtest.h>

namespace netkit {
namespace {

TEST(IndexedHeapTest, HasTheLeastOnTop) {
  IndexedHeap<int> heap;
  EXPECT_TRUE(heap.empty());
  heap.set(7, 30);
  heap.set(3, 10);
  heap.set(5, 20);
  EXPECT_EQ(heap.top(), 10);
  EXPECT_EQ(heap.top_index(), 3u);
  heap.remove(3);
  EXPECT_FALSE(heap.contains(3));
  EXPECT_EQ(heap.top_index(), 5u);
}

TEST(IndexedHeapTest, LowerNeverRaises) {
  IndexedHeap<int> heap;
  heap.lower(1, 10);
  heap.lower(1, 20);
  EXPECT_EQ(heap.top(), 10);
  heap.lower(1, 5);
  EXPECT_EQ(heap.top(), 5);
}

// A key that cannot be kept for want of memory.
struct Heavy {
  int weight = 0;
  static inline bool out_of_memory = false;
  explicit Heavy(int value) : weight(value) {}
  Heavy(const Heavy& other) : weight(other.weight) {
    if (out_of_memory) throw std::bad_alloc();
  }
  Heavy& operator=(const Heavy&) = default;
  friend bool operator<(const Heavy& a, const Heavy& b) { return a.weight < b.weight; }
};

TEST(IndexedHeapTest, IsAsBeforeWhereMemoryIsLacking) {
  IndexedHeap<Heavy> heap;
  heap.set(1, Heavy(10));
  Heavy::out_of_memory = true;
  EXPECT_THROW(heap.set(2, Heavy(5)), std::bad_alloc);
  Heavy::out_of_memory = false;
  EXPECT_FALSE(heap.contains(2));
  heap.set(2, Heavy(5));
  EXPECT_EQ(heap.top_index(), 2u);
}

TEST(IndexedHeapTest, AgreesWithAMapWhateverIsDone) {
  std::mt19937_64 random(1);
  IndexedHeap<std::uint64_t> heap;
  std::map<std::uint32_t, std::uint64_t> expected;
  for (int step = 0; step < 20'000; ++step) {
    const auto index = static_cast<std::uint32_t>(random() % 100);
    const std::uint64_t key = random() << 8 | index;  // no two the same
    if (random() % 3 == 0) {
      heap.remove(index);
      expected.erase(index);
    } else {
      heap.set(index, key);
      expected[index] = key;
    }
    ASSERT_EQ(heap.empty(), expected.empty());
    if (expected.empty()) continue;
    const auto least =
        std::ranges::min_element(expected, {}, [](const auto& entry) { return entry.second; });
    ASSERT_EQ(heap.top(), least->second);
    ASSERT_EQ(heap.top_index(), least->first);
  }
}

}  // namespace
}  // namespace netkit
