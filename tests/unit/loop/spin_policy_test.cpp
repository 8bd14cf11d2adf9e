#include <gtest/gtest.h>

#include <netkit/loop/spin_policy.hpp>

namespace netkit {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr Duration kOff = Duration::zero();
constexpr Duration kShort = SpinPolicy::kSpins.front();
constexpr Duration kLong = SpinPolicy::kSpins.back();

class SpinPolicyTest : public testing::Test {
 protected:
  Duration batches(int count, std::size_t size, Duration gap, bool polled) {
    Duration spin{};
    for (int i = 0; i < count; ++i) spin = policy_.on_batch(size, gap, polled);
    return spin;
  }
  // What a peer does that answers each answer: `gap` after the one before, or `faster` where
  // polling lasts as long as that. Returns how many of the batches were polled for.
  int exchange(int count, Duration gap, Duration faster) {
    int polled_for = 0;
    for (int i = 0; i < count; ++i) {
      const bool caught = spin_ >= faster;
      spin_ = policy_.on_batch(1, caught ? faster : gap, caught);
      if (spin_ > kOff) ++polled_for;
    }
    return polled_for;
  }
  SpinPolicy policy_;
  Duration spin_ = kOff;
};

TEST_F(SpinPolicyTest, PollsWhenRequestsComeOneByOneAndClose) {
  EXPECT_EQ(batches(5, 1, microseconds(30), false), kOff);
  EXPECT_EQ(batches(50, 1, microseconds(30), false), kShort);
}

// Each would wait for the server to wake up, again and again.
TEST_F(SpinPolicyTest, PollsForAFewPeersThatEachWaitForTheirAnswer) {
  EXPECT_EQ(batches(50, 8, microseconds(90), false), kShort);
  EXPECT_EQ(batches(1'000, 2, microseconds(7), true), kShort);
}

TEST_F(SpinPolicyTest, NeverPollsWhenTrafficIsThin) {
  EXPECT_EQ(batches(1000, 1, milliseconds(1), false), kOff);
}

TEST_F(SpinPolicyTest, NeverPollsWhenBatchesAreLarge) {
  EXPECT_EQ(batches(1000, 32, microseconds(30), false), kOff);
}

TEST_F(SpinPolicyTest, NeverPollsInAFlood) {
  EXPECT_EQ(batches(10'000, 1, nanoseconds(500), true), kOff);
  EXPECT_EQ(batches(10'000, 8, microseconds(5), true), kOff);
}

TEST_F(SpinPolicyTest, StopsWhenAFloodBegins) {
  batches(50, 1, microseconds(30), true);
  EXPECT_EQ(batches(128, 8, microseconds(4), true), kOff);
}

TEST_F(SpinPolicyTest, StopsWithTheFirstLargeBatch) {
  batches(50, 1, microseconds(30), true);
  EXPECT_EQ(policy_.on_batch(64, microseconds(30), true), kOff);
}

TEST_F(SpinPolicyTest, StopsSoonWhenTrafficBecomesThin) {
  batches(50, 1, microseconds(30), false);
  EXPECT_EQ(batches(64, 1, milliseconds(5), false), kOff);
}

TEST_F(SpinPolicyTest, BearsWithAPauseNowAndThen) {
  for (int i = 0; i < 10; ++i) {
    exchange(100, microseconds(30), microseconds(12));
    policy_.on_batch(1, milliseconds(4), false);
  }
  EXPECT_EQ(exchange(30, microseconds(30), microseconds(12)), 30);
}

TEST_F(SpinPolicyTest, GoesOnWhileItCatchesRequests) {
  EXPECT_GT(exchange(100'000, microseconds(15), microseconds(8)), 99'000);
}

TEST_F(SpinPolicyTest, PollsLongerWhereWakingUpIsSlow) {
  EXPECT_GT(exchange(100'000, microseconds(230), microseconds(120)), 99'000);
  EXPECT_EQ(spin_, kLong);
}

TEST_F(SpinPolicyTest, ComesBackSoonAfterSomebodyElseHadTheCpu) {
  exchange(1'000, microseconds(230), microseconds(120));
  ASSERT_EQ(spin_, kLong);
  batches(64, 1, milliseconds(4), false);
  EXPECT_GT(exchange(1'000, microseconds(230), microseconds(120)), 900);
}

TEST_F(SpinPolicyTest, DoesNotPollForAPeerWithAPaceOfItsOwn) {
  EXPECT_LT(exchange(100'000, microseconds(15), microseconds(15)), 6'000);
  EXPECT_LT(exchange(100'000, microseconds(150), microseconds(150)), 6'000);
}

TEST_F(SpinPolicyTest, GivesUpForAWhileWhenItCatchesNothing) {
  EXPECT_EQ(batches(300, 1, microseconds(100), false), kOff);
  EXPECT_EQ(batches(3'000, 1, microseconds(100), false), kOff);
  exchange(2'000, microseconds(30), microseconds(10));
  EXPECT_EQ(spin_, kShort);
}

}  // namespace
}  // namespace netkit
