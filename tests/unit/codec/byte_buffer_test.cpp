#include <string>

#include <gtest/gtest.h>

#include <netkit/codec/byte_buffer.hpp>

namespace netkit {
namespace {

TEST(ByteBufferTest, HoldsWhatWasAppended) {
  ByteBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  buffer.append("ab");
  buffer.append('c');
  buffer.append("");
  EXPECT_EQ(buffer.view(), "abc");
}

TEST(ByteBufferTest, OnlyWhatIsCommittedCounts) {
  ByteBuffer buffer;
  char* const to = buffer.reserve(100);
  to[0] = 'x';
  to[1] = 'y';
  buffer.commit(1);
  EXPECT_EQ(buffer.view(), "x");
}

TEST(ByteBufferTest, GrowsAndKeepsWhatItHas) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    buffer.append(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(buffer.view(), expected);
  buffer.append(std::string(100'000, 'x'));
  EXPECT_EQ(buffer.size(), expected.size() + 100'000);
}

TEST(ByteBufferTest, ClearKeepsTheMemoryAndReleaseGivesItBack) {
  ByteBuffer buffer;
  buffer.append(std::string(1000, 'x'));
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.view(), "");
}

}  // namespace
}  // namespace netkit
