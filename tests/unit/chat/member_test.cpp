#include "room_fixture.hpp"

#include <gtest/gtest.h>

namespace netkit::chat {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

struct MemberTest : testing::Test, test::World {
  static Texts lines(const std::string& name, int count) {
    Texts all;
    for (int i = 0; i < count; ++i) all.push_back(name + ": " + std::to_string(i));
    return all;
  }
  static void say(test::TestMember& speaker, int count) {
    for (int i = 0; i < count; ++i) speaker.member.request(Say{false, std::to_string(i)});
  }
};

TEST_F(MemberTest, FinishesOnceTheRoomHasEverything) {
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(50ms);
  say(ann, 300);
  ann.member.finish();
  EXPECT_FALSE(ann.member.request(Say{false, "too late"}));
  run(2s);
  EXPECT_TRUE(ann.finished);
  EXPECT_EQ(bob.heard, lines("ann", 300));
  EXPECT_EQ(server->room().members(), 1U);
}

TEST_F(MemberTest, LosesNothingOnALinkThatDoes) {
  loss = 0.2;
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(3s);
  say(ann, 300);
  say(bob, 300);
  run(5s);
  EXPECT_EQ(bob.heard, lines("ann", 300));
  EXPECT_EQ(ann.heard, lines("bob", 300));
}

TEST_F(MemberTest, SaysAgainWhatARestartedRoomDidNotTake) {
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(100ms);
  ann.member.request(Say{false, "before"});
  run(100ms);
  start();
  ann.member.request(Say{false, "while it is away"});
  run(6s);
  EXPECT_EQ(ann.lost, std::vector{datagram::LeftReason::reset});
  EXPECT_EQ(bob.lost, std::vector{datagram::LeftReason::reset});
  ann.member.connect(now);
  bob.member.connect(now);
  run(200ms);
  EXPECT_EQ(bob.heard, (Texts{"ann: before", "ann: while it is away"}));
}

TEST_F(MemberTest, HearsWhatARestartedRoomHeardBeforeItCameBack) {
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(100ms);
  say(ann, 1);
  run(100ms);
  start();
  ann.member.connect(now);
  run(100ms);
  say(ann, 2);
  run(100ms);
  bob.member.connect(now);
  run(200ms);
  EXPECT_EQ(bob.heard, (Texts{"ann: 0", "ann: 0", "ann: 1"}));
  EXPECT_TRUE(bob.gaps.empty());
}

// The room takes it, but what it answers is lost with the session.
TEST_F(MemberTest, SaysNothingTwice) {
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(100ms);
  ann.member.request(Say{false, "once"});
  datagram::OutputQueue queue;
  ann.member.drain(queue, now);
  for (const auto& item : queue.items()) {
    server->on_datagram(ann.endpoint, std::string(item.head) + std::string(item.body), now);
  }
  ann.endpoint = test::at_port(7777);
  ann.member.connect(now);
  run(200ms);
  EXPECT_EQ(bob.heard, Texts{"ann: once"});
  EXPECT_EQ(ann.member.taken(), 1U);
}

TEST_F(MemberTest, HearsWhatWasSaidWhileItWasAway) {
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(100ms);
  bob.member.leave(now);
  run(10ms);
  say(ann, 5);
  run(100ms);
  bob.member.connect(now);
  run(100ms);
  EXPECT_EQ(bob.heard, lines("ann", 5));
  EXPECT_TRUE(bob.gaps.empty());
}

// Two servers are one room, and the second one is behind when its members come from the first.
TEST_F(MemberTest, HearsNothingTwiceFromAServerThatIsBehind) {
  const auto stored = [this](std::uint64_t seq, std::string_view text) {
    server->deliver_stored({0, 9, seq, "ann", text}, seq, false, test::at_port(1));
  };
  const auto come_to_server = [this] {
    start();
    server->number_by(77, 1);
  };
  come_to_server();
  auto& bob = add("bob");
  run(50ms);
  for (const std::uint64_t seq : {1U, 2U, 3U}) stored(seq, "x");
  run(50ms);
  EXPECT_EQ(bob.last_seq, 3U);
  come_to_server();
  stored(1, "x");
  bob.member.connect(now);
  run(50ms);
  for (const std::uint64_t seq : {2U, 3U, 4U}) stored(seq, "y");
  run(50ms);
  EXPECT_EQ(bob.heard, (Texts{"ann: x", "ann: x", "ann: x", "ann: y"}));
  EXPECT_EQ(bob.last_seq, 4U);
  EXPECT_TRUE(bob.gaps.empty());
}

// What the first server took ends with it, but for what the store has.
TEST_F(MemberTest, SaysWhatAServerHasTakenWithIt) {
  options.room.is_shared = true;
  is_stored = true;
  start();
  server->number_by(77, 1);
  auto& ann = add("ann");
  run(50ms);
  ann.member.request(Say{false, "kept"});
  ann.member.request(Say{false, "lost"});
  run(50ms);
  EXPECT_EQ(ann.member.taken(), 2U);
  const auto instance = static_cast<std::uint32_t>(ann.endpoint.port());
  start();
  server->number_by(77, 1);
  server->deliver_stored({0, instance, 1, "ann", "kept"}, 1, false, test::at_port(1));
  ann.member.connect(now);
  run(50ms);
  ann.member.finish();
  run(2s);
  EXPECT_EQ(ann.refused, Texts{"lost (the server that took it has gone, and may have lost it)"});
  EXPECT_TRUE(ann.finished);
}

TEST_F(MemberTest, KeepsBelowTheRoomsRate) {
  options.room.rate = 100;
  start();
  auto& ann = add("ann");
  auto& bob = add("bob");
  run(50ms);
  say(ann, 300);
  run(1s);
  EXPECT_LT(bob.heard.size(), 200U);
  run(3s);
  EXPECT_EQ(bob.heard, lines("ann", 300));
  EXPECT_EQ(server->room().counters().dropped_rate, 0U);
}

TEST_F(MemberTest, KnowsARateBelowOneFromNone) {
  options.room.rate = 0.5;
  start();
  auto& ann = add("ann");
  run(50ms);
  say(ann, 40);
  run(1s);
  EXPECT_LT(server->room().counters().dropped_rate, 3U);
}

TEST_F(MemberTest, NamesWhatWasRefused) {
  auto& ann = add("ann");
  run(50ms);
  ann.member.request(Tell{"nobody hello"});
  run(50ms);
  EXPECT_EQ(ann.refused, Texts{"nobody hello (there is no 'nobody' here)"});
}

TEST_F(MemberTest, SaysWhenItCanTakeMore) {
  auto& ann = add("ann");
  say(ann, 1000);
  EXPECT_TRUE(ann.member.full());
  run(2s);
  EXPECT_EQ(ann.ready, 1);
  EXPECT_FALSE(ann.member.full());
}

TEST_F(MemberTest, KeepsWhatNobodyTook) {
  test::TestMember alone("ann", 1, kSinceNow);
  alone.member.request(Say{false, "hi"});
  alone.member.request(Who{});
  Texts left;
  alone.member.for_each_undelivered([&](std::string_view text) { left.emplace_back(text); });
  EXPECT_EQ(left, Texts{"hi"});
}

}  // namespace
}  // namespace netkit::chat
