#include <echo/flow_window.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ReplyKind = FlowWindow::Reply::Kind;

constexpr TimePoint kStart{seconds(1000)};

class FlowWindowTest : public testing::Test {
 protected:
  std::uint32_t send(Duration at) { return window_.send(kStart + at).number; }
  FlowWindow::Reply reply(std::uint32_t number, Duration at) {
    return window_.on_reply(number, kStart + at);
  }
  FlowWindow window_{4};
};

TEST_F(FlowWindowTest, NumbersMessagesAndMeasuresReplies) {
  EXPECT_EQ(send(microseconds(0)), 0u);
  EXPECT_EQ(send(microseconds(1)), 1u);
  EXPECT_EQ(window_.outstanding(), 2u);
  EXPECT_EQ(reply(1, microseconds(21)).latency, microseconds(20));
  EXPECT_EQ(reply(0, microseconds(30)).latency, microseconds(30));
  EXPECT_EQ(window_.outstanding(), 0u);
}

TEST_F(FlowWindowTest, KnowsDuplicates) {
  send(seconds(0));
  EXPECT_EQ(reply(0, seconds(1)).kind, ReplyKind::reply);
  EXPECT_EQ(reply(0, seconds(1)).kind, ReplyKind::duplicate);
}

TEST_F(FlowWindowTest, GivesUpWhatIsOverdueAndKnowsItLater) {
  send(seconds(0));
  send(seconds(1));
  EXPECT_EQ(window_.expire(kStart + milliseconds(500)), 1u);
  EXPECT_EQ(window_.outstanding(), 1u);
  EXPECT_EQ(reply(0, seconds(2)).kind, ReplyKind::late);
  EXPECT_EQ(reply(1, seconds(2)).kind, ReplyKind::reply);
}

TEST_F(FlowWindowTest, LosesTheOldestWhenMoreAreOutThanItKnows) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(window_.send(kStart).overwrote);
  EXPECT_TRUE(window_.send(kStart).overwrote);
  EXPECT_EQ(window_.outstanding(), 4u);
  EXPECT_EQ(reply(0, seconds(1)).kind, ReplyKind::late);
  EXPECT_EQ(reply(4, seconds(1)).kind, ReplyKind::reply);
}

TEST_F(FlowWindowTest, DoesNotKnowWhatWasNeverSent) {
  EXPECT_EQ(reply(0, seconds(1)).kind, ReplyKind::late);
  EXPECT_EQ(reply(77, seconds(1)).kind, ReplyKind::late);
}

TEST_F(FlowWindowTest, TellsTheOldestForStreams) {
  EXPECT_EQ(window_.oldest(), std::nullopt);
  send(seconds(0));
  send(seconds(0));
  EXPECT_EQ(window_.oldest(), 0u);
  reply(0, seconds(1));
  EXPECT_EQ(window_.oldest(), 1u);
}

TEST_F(FlowWindowTest, ExpiresEverythingOnce) {
  for (int i = 0; i < 3; ++i) send(seconds(i));
  reply(1, seconds(3));
  EXPECT_EQ(window_.expire_all(), 2u);
  EXPECT_EQ(window_.expire_all(), 0u);
}

TEST_F(FlowWindowTest, RunsOnForLong) {
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::uint32_t number = send(microseconds(i));
    ASSERT_EQ(number, i);
    ASSERT_LE(window_.outstanding(), 4u);
    if (i % 3 == 0) continue;
    ASSERT_EQ(reply(number, microseconds(i + 1)).kind, ReplyKind::reply);
  }
}

TEST(SendScheduleTest, SpreadsMessagesEvenly) {
  SendSchedule schedule(1000, kStart);
  EXPECT_EQ(schedule.take(kStart), kStart);
  EXPECT_EQ(schedule.take(kStart), std::nullopt);
  EXPECT_EQ(schedule.next(), kStart + milliseconds(1));
  EXPECT_EQ(schedule.take(kStart + milliseconds(1)), kStart + milliseconds(1));
}

TEST(SendScheduleTest, KeepsTheTimesThatWereMissed) {
  SendSchedule schedule(1000, kStart);
  const TimePoint late = kStart + milliseconds(3);
  for (int i = 0; i <= 3; ++i) EXPECT_EQ(schedule.take(late), kStart + milliseconds(i));
  EXPECT_EQ(schedule.take(late), std::nullopt);
}

TEST(SendScheduleTest, SkipsAndCountsWhatIsTooLate) {
  SendSchedule schedule(1000, kStart, milliseconds(10));
  EXPECT_EQ(schedule.take(kStart + milliseconds(30)), kStart + milliseconds(20));
  EXPECT_EQ(schedule.skipped(), 20u);
}

TEST(SendScheduleTest, SkipsWhatWasNotTakenInTime) {
  SendSchedule schedule(1000, kStart);
  schedule.take(kStart);
  schedule.skip_until(kStart + milliseconds(5));
  EXPECT_EQ(schedule.skipped(), 4u);
  EXPECT_EQ(schedule.next(), kStart + milliseconds(5));
  schedule.skip_until(kStart + milliseconds(2));
  EXPECT_EQ(schedule.skipped(), 4u);
}

TEST(SendScheduleTest, DoesNotDrift) {
  SendSchedule schedule(3, kStart, seconds(1000));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(schedule.take(kStart + seconds(100)));
  EXPECT_EQ(schedule.next(), kStart + seconds(100));
}

}  // namespace
}  // namespace netkit::echo
