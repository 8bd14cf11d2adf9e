#include <echo/ping_statistics.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = PingStatistics::Kind;

class PingStatisticsTest : public testing::Test {
 protected:
  void send(std::uint32_t number) { statistics_.on_sent(number, start(number)); }
  PingStatistics::Reply reply(std::uint32_t number, Duration rtt) {
    return statistics_.on_reply(number, start(number) + rtt);
  }
  static TimePoint start(std::uint32_t number) { return TimePoint(seconds(number)); }
  PingStatistics statistics_{16};
};

TEST_F(PingStatisticsTest, MeasuresEachReply) {
  send(1);
  const auto answer = reply(1, microseconds(250));
  EXPECT_EQ(answer.kind, Kind::reply);
  EXPECT_EQ(answer.rtt, microseconds(250));
  EXPECT_EQ(statistics_.received(), 1u);
  EXPECT_EQ(statistics_.lost(), 0u);
}

TEST_F(PingStatisticsTest, CountsLoss) {
  for (std::uint32_t i = 1; i <= 4; ++i) send(i);
  reply(2, microseconds(1));
  EXPECT_EQ(statistics_.lost(), 3u);
  EXPECT_DOUBLE_EQ(statistics_.loss_percent(), 75);
}

TEST_F(PingStatisticsTest, CountsDuplicatesOnceEach) {
  send(1);
  reply(1, microseconds(1));
  EXPECT_EQ(reply(1, microseconds(5)).kind, Kind::duplicate);
  EXPECT_EQ(reply(1, microseconds(6)).kind, Kind::duplicate);
  EXPECT_EQ(statistics_.duplicates(), 2u);
  EXPECT_EQ(statistics_.received(), 1u);
}

TEST_F(PingStatisticsTest, CountsRepliesThatWereOvertaken) {
  for (std::uint32_t i = 1; i <= 3; ++i) send(i);
  EXPECT_FALSE(reply(1, seconds(1)).reordered);
  EXPECT_FALSE(reply(3, seconds(1)).reordered);
  EXPECT_TRUE(reply(2, seconds(5)).reordered);
  EXPECT_EQ(statistics_.reordered(), 1u);
}

TEST_F(PingStatisticsTest, KnowsNothingOfWhatItDidNotSend) {
  EXPECT_EQ(reply(1, seconds(1)).kind, Kind::unknown);
  EXPECT_EQ(reply(0, seconds(1)).kind, Kind::unknown);
  EXPECT_EQ(statistics_.unknown(), 2u);
  EXPECT_EQ(statistics_.received(), 0u);
}

TEST_F(PingStatisticsTest, ForgetsTheOldestProbes) {
  for (std::uint32_t i = 1; i <= 17; ++i) send(i);
  EXPECT_EQ(reply(1, seconds(1)).kind, Kind::unknown);
  EXPECT_EQ(reply(2, seconds(1)).kind, Kind::reply);
}

TEST_F(PingStatisticsTest, SmoothsJitterAsRfc3550Does) {
  for (std::uint32_t i = 1; i <= 3; ++i) send(i);
  reply(1, microseconds(100));
  EXPECT_EQ(statistics_.jitter(), Duration::zero());
  reply(2, microseconds(260));  // 160 more: 160/16
  EXPECT_EQ(statistics_.jitter(), microseconds(10));
  reply(3, microseconds(260));  // no difference: 10 - 10/16
  EXPECT_EQ(statistics_.jitter(), Duration(9375));
}

TEST_F(PingStatisticsTest, KnowsWhatWaitsForAReply) {
  send(1);
  send(2);
  reply(1, milliseconds(1));
  EXPECT_EQ(statistics_.unanswered_since(1), std::nullopt);
  EXPECT_EQ(statistics_.unanswered_since(2), start(2));
  EXPECT_EQ(statistics_.unanswered_since(3), std::nullopt);
}

TEST_F(PingStatisticsTest, AddsTheNumbersOfOthers) {
  send(1);
  reply(1, milliseconds(1));
  PingStatistics all(1);
  all.merge(statistics_);
  all.merge(statistics_);
  EXPECT_EQ(all.sent(), 2u);
  EXPECT_EQ(all.received(), 2u);
  EXPECT_EQ(all.rtt().max(), statistics_.rtt().max());
}

TEST_F(PingStatisticsTest, WithoutThresholdsWantsOneReply) {
  send(1);
  send(2);
  EXPECT_FALSE(meets(statistics_, {}));
  reply(1, milliseconds(1));
  EXPECT_TRUE(meets(statistics_, {}));
}

TEST_F(PingStatisticsTest, HoldsLossToItsThreshold) {
  for (std::uint32_t i = 1; i <= 4; ++i) send(i);
  for (std::uint32_t i = 1; i <= 3; ++i) reply(i, milliseconds(1));
  EXPECT_TRUE(meets(statistics_, {25.0, {}}));
  EXPECT_FALSE(meets(statistics_, {24.9, {}}));
}

TEST_F(PingStatisticsTest, HoldsTheSlowestHundredthToItsThreshold) {
  send(1);
  reply(1, milliseconds(3));
  EXPECT_TRUE(meets(statistics_, {{}, milliseconds(4)}));
  EXPECT_FALSE(meets(statistics_, {{}, milliseconds(2)}));
}

TEST_F(PingStatisticsTest, NoReplyIsNoLatencyThatCouldBeGood) {
  send(1);
  EXPECT_TRUE(meets(statistics_, {100.0, {}}));
  EXPECT_FALSE(meets(statistics_, {100.0, milliseconds(2)}));
}

}  // namespace
}  // namespace netkit::echo
