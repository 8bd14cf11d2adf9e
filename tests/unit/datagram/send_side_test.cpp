// What the sending half of a session puts on its way when more waits than may go.
#include "datagram/send_side.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

using namespace std::chrono_literals;

class SendingTest : public testing::Test {
 protected:
  void Start(const CongestionController::Path* path = nullptr) {
    side = std::make_unique<SendSide>(options, counters, 1, path);
    side->open_window(room);
  }
  // Messages of so many bytes, each in a chunk of its own.
  void Enqueue(int count, std::size_t size = 100) {
    for (int i = 0; i < count; ++i) {
      packer.append(std::string(size, 'x'));
      for (const ChunkRef& chunk : packer.flush()) side->enqueue(chunk);
    }
  }
  // All that may go now, which is acknowledged after a round trip.
  std::vector<ChunkRef> Round(Duration rtt = 20ms) {
    std::vector<ChunkRef> sent;
    SendSide::Emission one;
    while (side->next(one, now)) sent.push_back(one.chunk);
    now += rtt;
    side->on_ack(side->next_seq(), room, {}, {}, now);
    return sent;
  }

  // The numbers of all that goes in so long, while nothing comes back.
  std::vector<std::uint32_t> Send(Duration span) {
    std::vector<std::uint32_t> sent;
    for (const TimePoint end = now + span; now < end; now += 1ms) {
      side->on_timer(now);
      SendSide::Emission one;
      while (side->next(one, now)) sent.push_back(one.seq);
    }
    return sent;
  }
  void AcknowledgeAllBut(std::uint32_t seq) {
    side->on_ack(seq, room, std::string((side->next_seq() - seq + 6) / 8, '\xff'), {}, now);
  }

  Options options;
  Counters counters;
  std::unique_ptr<SendSide> side;
  Packer packer;
  std::uint16_t room = 4096;  // that the receiver has
  TimePoint now{1h};
};

TEST_F(SendingTest, DropsBetweenAnyTwoDatagramsLeaveRoomForMessages) {
  options.keep = 4;
  options.initial_in_flight = options.max_in_flight = options.min_in_flight = 1;
  for (const std::uint64_t first : {1U, 0U}) {
    packer = Packer({.first_record = first});
    Start();
    Enqueue(10);
    std::uint32_t messages = 0;
    for (int i = 0; i < 20; ++i) {
      for (const ChunkRef& chunk : Round()) messages += chunk->messages;
      Enqueue(3);
    }
    EXPECT_GE(messages, 10U) << "numbered from " << first;
  }
}

TEST_F(SendingTest, NumbersTellOfWhatWasDropped) {
  options.keep = 4;
  options.initial_in_flight = options.max_in_flight = options.min_in_flight = 1;
  Start();
  Enqueue(20);
  EXPECT_TRUE(Round().at(0)->control) << "nothing numbered has come before";
  const std::uint64_t first = Round().at(0)->first_record;
  Enqueue(20);
  EXPECT_GT(Round().at(0)->first_record, first + 1);
}

TEST_F(SendingTest, WhatWaitedGoesTogether) {
  const CongestionController::Path path;
  Start(&path);
  Enqueue(100);
  std::uint64_t next = 1;
  while (next <= 100) {
    const std::vector<ChunkRef> sent = Round();
    ASSERT_FALSE(sent.empty());
    for (const ChunkRef& chunk : sent) {
      EXPECT_EQ(chunk->first_record, next);
      EXPECT_LE(chunk->body.size(), options.max_body());
      EXPECT_TRUE(is_valid_body(chunk->body));
      next += chunk->messages;
    }
  }
  EXPECT_LE(side->next_seq(), 25U);
  EXPECT_TRUE(side->idle());
  EXPECT_EQ(side->delivered(), 100U);
}

TEST_F(SendingTest, AMessageCutInTwoStaysSo) {
  const CongestionController::Path path;
  Start(&path);
  Enqueue(40, 1500);
  std::uint32_t ended = 0;
  for (int i = 0; i < 50; ++i) {
    for (const ChunkRef& chunk : Round()) {
      EXPECT_TRUE(is_valid_body(chunk->body));
      ended += chunk->ended();
    }
  }
  EXPECT_EQ(ended, 40U);
}

TEST_F(SendingTest, AnotherPathBeginsAnew) {
  const CongestionController::Path path;
  Start(&path);
  Enqueue(1000, 1000);
  for (int i = 0; i < 12; ++i) Round();
  ASSERT_NE(side->window(), 10U);
  ASSERT_GT(side->congestion()->rate(), 0);
  SendSide::Emission one;
  ASSERT_TRUE(side->next(one, now)) << "on its way by the old one";
  side->change_path({});
  EXPECT_EQ(side->window(), 10U);
  EXPECT_EQ(side->congestion()->rate(), 0);
  EXPECT_EQ(side->congestion()->base(), Duration{});
  EXPECT_LE(Round(200ms).size(), 10U);
  EXPECT_EQ(side->congestion()->base(), 200ms);
  EXPECT_FALSE(Round(200ms).empty());
  EXPECT_EQ(side->retransmitted(), 0U);
}

TEST_F(SendingTest, TwoTimeoutsInARowAreNoCongestionAThirdIs) {
  const CongestionController::Path path;
  Start(&path);
  Enqueue(1000, 1000);
  for (int i = 0; i < 12; ++i) Round();
  const std::size_t window = side->window();
  ASSERT_GT(window, 1U);
  while (counters.timeouts < 1) Send(1ms);
  EXPECT_EQ(side->window(), window);
  while (counters.timeouts < 2) Send(1ms);
  EXPECT_EQ(side->window(), 1U);
}

TEST_F(SendingTest, WhatWasLostTwiceGoesTwiceWhereTheReceiverHasLittleRoom) {
  const CongestionController::Path path{.window = 100};
  for (room = 500; room <= 4000; room += 3500) {
    Start(&path);
    Enqueue(1000, 1000);
    const std::uint32_t lost = Send(20ms).at(0);
    for (const std::size_t times : {1U, room == 500 ? 2U : 1U}) {
      AcknowledgeAllBut(lost);
      const std::vector<std::uint32_t> again = Send(20ms);
      EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(again, lost)), times) << room;
    }
  }
}

TEST_F(SendingTest, AnotherPathBeginsWithWhatIsKnownOfIt) {
  const CongestionController::Path path;
  Start(&path);
  side->change_path({.base = 30ms, .window = 3});
  EXPECT_EQ(side->window(), 3U);
  EXPECT_EQ(side->congestion()->base(), 30ms);
}

TEST_F(SendingTest, WaitsLongerOnceTheRoundTripHasGrown) {
  const CongestionController::Path path;
  Start(&path);
  side->add_rtt_sample(2ms, now);
  for (int i = 0; i < 20; ++i) {
    Enqueue(1);
    Send(60ms);
    side->on_ack(side->next_seq(), room, {}, {}, now);
  }
  EXPECT_LE(side->retransmitted(), 6U);
}

}  // namespace
}  // namespace netkit::datagram
