#include <memory>
#include <sse/page.hpp>
#include <sse/replay_ring.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

class RingTest : public testing::Test {
 protected:
  void push(int count, std::size_t size = 1) {
    for (int i = 0; i < count; ++i) ring_.push(std::make_shared<const std::string>(size, 'x'));
  }
  void expect(std::string_view last_event_id, std::uint64_t from, std::uint64_t lost_from = 0,
              std::uint64_t lost_to = 0) {
    const ReplayRing::Replay replay = ring_.after(last_event_id);
    EXPECT_EQ(replay.from, from);
    EXPECT_EQ(replay.lost_from, lost_from);
    EXPECT_EQ(replay.lost_to, lost_to);
  }

  ReplayRing ring_{5, 100};
};

TEST_F(RingTest, GivesNumbersFromOne) {
  EXPECT_EQ(ring_.next_id(), 1u);
  push(2);
  EXPECT_EQ(ring_.next_id(), 3u);
}

TEST_F(RingTest, ANewcomerGetsWhatComes) {
  push(3);
  expect("", 4);
}

TEST_F(RingTest, ReplaysAfterTheLastId) {
  push(4);
  expect("2", 3);
  expect("4", 5);
  expect("0", 1);
}

TEST_F(RingTest, SaysWhatIsLost) {
  push(12);
  expect("3", 8, 4, 7);
  expect("7", 8);
}

TEST_F(RingTest, AnIdOfAnotherRunGetsAllThatIsKept) {
  push(12);
  expect("13", 8);
  expect("99999999999999999999999", 8);
  expect("abc", 8);
  expect("3x", 8);
  expect("-1", 8);
}

TEST_F(RingTest, GivesTheEventsThatItKeeps) {
  push(7);
  EXPECT_EQ(ring_.at(2), nullptr);
  EXPECT_NE(ring_.at(3), nullptr);
  EXPECT_NE(ring_.at(7), nullptr);
  EXPECT_EQ(ring_.at(8), nullptr);
}

TEST_F(RingTest, BoundsTheBytes) {
  push(4, 30);
  EXPECT_EQ(ring_.size(), 3u);
  EXPECT_EQ(ring_.bytes(), 90u);
  push(1, 101);
  EXPECT_EQ(ring_.size(), 0u);
  EXPECT_EQ(ring_.bytes(), 0u);
  expect("4", 6, 5, 5);
}

TEST(ReplayRingTest, KeepsNothingWhenToldSo) {
  ReplayRing ring(0, 100);
  ring.push(std::make_shared<const std::string>("x"));
  EXPECT_EQ(ring.after("0").lost_to, 1u);
  EXPECT_EQ(ring.after("1").from, 2u);
}

TEST(Page, NeedsNothingFromElsewhere) {
  const std::string page = stream_page("");
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_EQ(page.find("innerHTML"), std::string::npos);
  EXPECT_NE(page.find("new EventSource('events')"), std::string::npos);
}

TEST(Page, EscapesTheType) {
  EXPECT_NE(stream_page("\"><script>&").find("data-type=\"&quot;&gt;&lt;script&gt;&amp;\""),
            std::string::npos);
}

}  // namespace
}  // namespace netkit::sse
