#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/datagram/plain_fanout.hpp>

namespace netkit::datagram {
namespace {

using Lines = std::vector<std::string>;

class PlainFanoutTest : public testing::Test {
 protected:
  static Endpoint At(std::uint16_t port) {
    return {IpAddress::loopback(IpAddress::Family::v4), port};
  }
  static std::vector<Path> Ports(std::uint16_t first, std::uint16_t last) {
    std::vector<Path> all;
    for (std::uint16_t port = first; port <= last; ++port) all.emplace_back(At(port));
    return all;
  }
  // One round, as `PORT TEXT`.
  Lines Round(std::size_t limit = 100) {
    OutputQueue queue;
    more = fanout.drain(queue, now, limit);
    Lines lines;
    for (const auto& item : queue.items()) {
      lines.push_back(std::to_string(item.to->peer.port()) + " " + std::string(item.body));
    }
    return lines;
  }

  PlainFanout fanout;
  TimePoint now{std::chrono::hours(1)};
  bool more = false;
};

TEST_F(PlainFanoutTest, SendsEachAddressItsTextsTogether) {
  fanout.say("a");
  fanout.say("b");
  EXPECT_FALSE(fanout.settled());
  fanout.settle(Ports(1, 2));
  EXPECT_EQ(Round(), (Lines{"1 a", "1 b", "2 a", "2 b"}));
  EXPECT_FALSE(more);
}

TEST_F(PlainFanoutTest, GoesOnWhereARoundEnded) {
  fanout.say("a");
  fanout.say("b");
  fanout.settle(Ports(1, 2));
  EXPECT_EQ(Round(3), (Lines{"1 a", "1 b", "2 a"}));
  EXPECT_TRUE(more);
  EXPECT_EQ(fanout.waiting(), 1u);
  EXPECT_EQ(Round(3), Lines{"2 b"});
  EXPECT_FALSE(more);
}

TEST_F(PlainFanoutTest, KeepsTheOrderOfWhatIsSaidAndTold) {
  fanout.say("a");
  fanout.settle(Ports(1, 2));
  fanout.tell(At(2), "b");
  fanout.say("c");
  fanout.settle(Ports(2, 3));
  EXPECT_EQ(Round(), (Lines{"1 a", "2 a", "2 b", "2 c", "3 c"}));
}

TEST_F(PlainFanoutTest, WhatIsSaidToNobodyIsForgotten) {
  fanout.say("a");
  fanout.settle({});
  fanout.settle(Ports(1, 1));
  EXPECT_EQ(Round(), Lines{});
}

TEST_F(PlainFanoutTest, DropsAndCountsWhatIsBeyondItsLimit) {
  fanout = PlainFanout({.limit = 3});
  fanout.say("a");
  fanout.say("b");
  fanout.settle(Ports(1, 2));
  fanout.tell(At(3), "c");
  EXPECT_EQ(fanout.dropped(), 2u);
  EXPECT_EQ(Round(), (Lines{"1 a", "1 b", "2 a"}));
  fanout.tell(At(3), "d");
  EXPECT_EQ(Round(), Lines{"3 d"});
}

TEST_F(PlainFanoutTest, ItsBytesStayWithTheQueue) {
  OutputQueue queue;
  fanout.tell(At(1), std::string(100, 'x'));
  fanout.drain(queue, now);
  fanout.tell(At(2), "y");
  fanout.drain(queue, now);
  EXPECT_EQ(queue.items()[0].body, std::string(100, 'x'));
  EXPECT_EQ(queue.bytes(), 101u);
}

TEST_F(PlainFanoutTest, SendsNoMoreThanItsRateToOneOnAnotherMachine) {
  fanout = PlainFanout({.rate = 100'000});
  const Path there = *Endpoint::parse("192.0.2.1:9");
  const std::string text(1000, 'x');
  const auto sent = [&](const Path& to, int texts) {
    for (int i = 0; i < texts; ++i) fanout.tell(to, text);
    return Round(1000).size();
  };
  EXPECT_EQ(sent(there, 300), 100u);
  EXPECT_EQ(fanout.over_rate(), 200u);
  now += std::chrono::milliseconds(500);
  EXPECT_EQ(sent(there, 300), 50u);
  EXPECT_EQ(sent(At(9), 300), 300u);  // loopback has no limit
}

}  // namespace
}  // namespace netkit::datagram
