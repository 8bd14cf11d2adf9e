#include "util/indexed_heap.hpp"

#include <algorithm>
#include <map>
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
