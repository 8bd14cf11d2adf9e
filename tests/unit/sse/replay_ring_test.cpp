#include <memory>
#include <sse/event_routes.hpp>
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

  ReplayRing ring_{5, 100, 101};
};

TEST_F(RingTest, GivesNumbersFromTheFirst) {
  EXPECT_EQ(ring_.next_id(), 101u);
  push(2);
  EXPECT_EQ(ring_.next_id(), 103u);
}

TEST_F(RingTest, ANewcomerGetsWhatComes) {
  push(3);
  expect("", 104);
}

TEST_F(RingTest, ReplaysAfterTheLastId) {
  push(4);
  expect("102", 103);
  expect("104", 105);
  expect("100", 101);
}

TEST_F(RingTest, SaysWhatIsLost) {
  push(12);
  expect("103", 108, 104, 107);
  expect("107", 108);
}

TEST_F(RingTest, AnIdOfAnotherRunIsOwedAllOfThisOne) {
  push(3);
  for (const char* id : {"0", "3", "99", "104", "18446744073709551615", "99999999999999999999999",
                         "abc", "102x", "-1", " "}) {
    expect(id, 101);
  }
  push(9);
  expect("99", 108, 101, 107);
  expect("abc", 108, 101, 107);
}

TEST_F(RingTest, AnIdThatAStoreWillGiveIsAnotherServers) {
  ring_.begin_with(101);
  push(3);
  expect("103", 104);
  expect("110", 111);
  expect("18446744073709551615", 101);
}

TEST_F(RingTest, GivesTheEventsThatItKeepsInPieces) {
  for (const char* text : {"a", "b", "c", "d", "ef", "g", "h"}) {
    ring_.push(std::make_shared<const std::string>(text));
  }
  const auto expect_piece = [this](std::uint64_t from, std::size_t limit, std::string_view bytes,
                                   std::uint64_t to) {
    const ReplayRing::Piece piece = ring_.piece(from, limit);
    EXPECT_EQ(*piece.bytes, bytes);
    EXPECT_EQ(piece.to, to);
  };
  EXPECT_EQ(ring_.oldest(), 103u);
  expect_piece(103, 100, "cdefgh", 108);
  expect_piece(103, 4, "cdef", 106);
  expect_piece(103, 3, "cd", 105);
  expect_piece(105, 1, "ef", 106);
  expect_piece(107, 100, "h", 108);
}

TEST_F(RingTest, AnEventThatIsAPieceOfItsOwnIsShared) {
  push(2, 40);
  EXPECT_EQ(ring_.piece(101, 50).bytes, ring_.piece(101, 1).bytes);
}

TEST_F(RingTest, BoundsTheBytes) {
  push(4, 30);
  EXPECT_EQ(ring_.size(), 3u);
  EXPECT_EQ(ring_.bytes(), 90u);
  EXPECT_EQ(ring_.limit(), "--keep-bytes");
  push(1, 101);
  EXPECT_EQ(ring_.size(), 0u);
  EXPECT_EQ(ring_.bytes(), 0u);
  expect("104", 106, 105, 105);
  push(6);
  EXPECT_EQ(ring_.limit(), "--keep");
}

TEST(ReplayRingTest, KeepsNothingWhenToldSo) {
  ReplayRing ring(0, 100, 1);
  ring.push(std::make_shared<const std::string>("x"));
  EXPECT_EQ(ring.after("0").lost_to, 1u);
  EXPECT_EQ(ring.after("1").from, 2u);
  EXPECT_EQ(ring.limit(), "--keep");
}

TEST(Page, NeedsNothingFromElsewhere) {
  const std::string page = stream_page("", "events?last=100");
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_EQ(page.find("innerHTML"), std::string::npos);
  EXPECT_NE(page.find("data-stream=\"events?last=100\""), std::string::npos);
}

TEST(Page, EscapesTheType) {
  EXPECT_NE(
      stream_page("\"><script>&", "events").find("data-type=\"&quot;&gt;&lt;script&gt;&amp;\""),
      std::string::npos);
}

}  // namespace
}  // namespace netkit::sse
