#include "room_fixture.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace netkit::chat {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

struct RoomServerTest : testing::Test, test::World {};

TEST_F(RoomServerTest, WelcomesAndPassesOn) {
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(100ms);
  EXPECT_EQ(ann.motd, "be kind");
  ann.member.request(Say{false, "hello"});
  run(100ms);
  EXPECT_EQ(bob.heard, Texts{"ann: hello"});
  EXPECT_EQ(bob.last_seq, 1U);
  EXPECT_EQ(ann.heard, Texts{});
  EXPECT_EQ(ann.member.taken(), 1U);
}

TEST_F(RoomServerTest, CatchesNewcomersUp) {
  auto& ann = add("ann");
  run(50ms);
  for (int i = 1; i <= 3; ++i) ann.member.request(Say{false, std::to_string(i)});
  run(100ms);
  auto& all = add("all", kSinceAll);
  auto& some = add("some", 3);
  auto& none = add("none");
  run(100ms);
  EXPECT_EQ(all.heard, (Texts{"ann: 1", "ann: 2", "ann: 3"}));
  EXPECT_EQ(some.heard, Texts{"ann: 3"});
  EXPECT_EQ(none.heard, Texts{});
  EXPECT_TRUE(all.gaps.empty() && some.gaps.empty() && none.gaps.empty());
}

TEST_F(RoomServerTest, SaysTogetherWhoComesTogether) {
  auto& first = add("first");
  run(50ms);
  for (int i = 0; i < 100; ++i) add("m" + std::to_string(i));
  const std::uint64_t before = server->native().counters().datagrams_out;
  run(250ms);
  EXPECT_EQ(first.came.size(), 100U);
  EXPECT_EQ(std::count(members[1]->came.begin(), members[1]->came.end(), "m0"), 0);
  // An ACCEPT, the notices and some acknowledgements for each, instead of 100 notices for each.
  EXPECT_LT(server->native().counters().datagrams_out - before, 1500U);
}

TEST_F(RoomServerTest, LetsNoticesOfABigRoomWaitForOthers) {
  auto& first = add("first");
  for (int i = 1; i < 300; ++i) add("m" + std::to_string(i));
  run(500ms);
  first.came.clear();
  const std::uint64_t before = server->native().counters().datagrams_out;
  for (int i = 0; i < 5; ++i) {
    add("late" + std::to_string(i));
    run(1ms);
  }
  run(250ms);
  EXPECT_EQ(first.came.size(), 5U);
  EXPECT_LT(server->native().counters().datagrams_out - before, 2U * 305);
  // What is said is heard behind them, and does not wait.
  add("last");
  run(2ms);
  EXPECT_EQ(first.came.size(), 5U);
  members.back()->member.request(Say{false, "hello"});
  run(2ms);
  EXPECT_EQ(first.came.size(), 6U);
  EXPECT_EQ(first.heard, Texts{"last: hello"});
}

TEST_F(RoomServerTest, GivesANewcomerWhatWasSaidInTheSameTurnOnce) {
  auto& ann = add("ann");
  run(50ms);
  for (int i = 1; i <= 3; ++i) ann.member.request(Say{false, std::to_string(i)});
  auto& all = add("all", kSinceAll);
  auto& now_on = add("now");
  run(200ms);
  EXPECT_EQ(all.heard, (Texts{"ann: 1", "ann: 2", "ann: 3"}));
  EXPECT_TRUE(all.gaps.empty() && now_on.gaps.empty());
}

TEST_F(RoomServerTest, RejectsWithTheReason) {
  add("ann");
  run(50ms);
  auto& again = add("ann");
  run(50ms);
  EXPECT_EQ(again.rejected, "2 the name 'ann' is taken");
}

TEST_F(RoomServerTest, SendsPlainMembersWhatWasSaidBeforeTheyLeft) {
  server->on_datagram(test::at_port(9), "one", now);
  server->on_datagram(test::at_port(9), "quit", now);
  run(5ms);
  EXPECT_EQ(plain, Texts{"[127.0.0.1:9] one\n"});
}

TEST_F(RoomServerTest, LimitsWhatWaitsForPlainMembers) {
  options.max_plain_queue = 3;
  start();
  for (int i = 0; i < 5; ++i) server->on_datagram(test::at_port(9), "x", now);
  run(5ms);
  EXPECT_EQ(plain.size(), 3U);
  EXPECT_EQ(server->plain_dropped(), 2U);
}

TEST_F(RoomServerTest, TellsEverybodyWhenItCloses) {
  auto& ann = add("ann");
  server->on_datagram(test::at_port(9), "reg", now);
  run(50ms);
  server->close(now);
  run(100ms);
  EXPECT_TRUE(closed);
  EXPECT_EQ(plain, Texts{"end"});
  EXPECT_EQ(ann.lost, std::vector{datagram::LeftReason::ended});
}

}  // namespace
}  // namespace netkit::chat
