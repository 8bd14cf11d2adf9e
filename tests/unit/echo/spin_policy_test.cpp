#include <echo/spin_policy.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration kOff = Duration::zero();

class SpinPolicyTest : public testing::Test {
 protected:
  Duration batches(int count, std::size_t size, Duration gap, bool polled) {
    Duration spin{};
    for (int i = 0; i < count; ++i) spin = policy_.on_batch(size, gap, polled);
    return spin;
  }
  SpinPolicy policy_;
};

TEST_F(SpinPolicyTest, PollsWhenRequestsComeOneByOneAndClose) {
  EXPECT_EQ(batches(5, 1, microseconds(30), false), kOff);
  EXPECT_EQ(batches(50, 1, microseconds(30), false), SpinPolicy::kSpin);
}

TEST_F(SpinPolicyTest, NeverPollsWhenTrafficIsThin) {
  EXPECT_EQ(batches(1000, 1, milliseconds(1), false), kOff);
}

TEST_F(SpinPolicyTest, NeverPollsWhenBatchesAreLarge) {
  EXPECT_EQ(batches(1000, 32, microseconds(30), false), kOff);
}

TEST_F(SpinPolicyTest, NeverPollsInAFlood) {
  EXPECT_EQ(batches(10'000, 1, microseconds(2), true), kOff);
  EXPECT_EQ(batches(10'000, 4, microseconds(12), true), kOff);
}

TEST_F(SpinPolicyTest, StopsWhenAFloodBegins) {
  batches(50, 1, microseconds(30), true);
  EXPECT_EQ(batches(128, 2, microseconds(4), true), kOff);
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
    batches(20, 1, microseconds(30), true);
    policy_.on_batch(1, milliseconds(4), false);
  }
  EXPECT_EQ(batches(30, 1, microseconds(30), true), SpinPolicy::kSpin);
}

TEST_F(SpinPolicyTest, GoesOnWhileItCatchesRequests) {
  EXPECT_EQ(batches(10'000, 2, microseconds(15), true), SpinPolicy::kSpin);
}

TEST_F(SpinPolicyTest, GivesUpForAWhileWhenItCatchesNothing) {
  EXPECT_EQ(batches(200, 1, microseconds(100), false), kOff);
  EXPECT_EQ(batches(3'000, 1, microseconds(100), false), kOff);
  EXPECT_EQ(batches(2'000, 1, microseconds(10), true), SpinPolicy::kSpin);
}

}  // namespace
}  // namespace netkit::echo
