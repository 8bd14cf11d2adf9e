#include "net/gather_policy.hpp"

#include <gtest/gtest.h>

namespace netkit {
namespace {

using std::chrono::microseconds;

constexpr Duration kOff = Duration::zero();
constexpr Duration kOn = GatherPolicy::kPause;

// What comes to a server that reads at once, and what comes while it sleeps.
class GatherPolicyTest : public testing::Test {
 protected:
  struct Batch {
    std::size_t size;
    Duration gap;
  };
  // The last `batches` of so many that had a pause before them.
  int paused(int batches, Batch without, Batch with) {
    int count = 0;
    for (int i = 0; i < batches; ++i) {
      const Batch& batch = pause_ == kOff ? without : with;
      pause_ = policy_.on_batch(batch.size, batch.gap);
      if (pause_ == kOn) ++count;
    }
    return count;
  }
  GatherPolicy policy_;
  Duration pause_ = kOff;
};

TEST_F(GatherPolicyTest, SleepsWhileMuchComesAndAsMuchWithThePause) {
  EXPECT_GT(paused(10'000, {3, microseconds(6)}, {28, microseconds(56)}), 8'500);
}

TEST_F(GatherPolicyTest, SleepsNotWhenPeersThenSendLess) {
  EXPECT_LT(paused(100'000, {2, microseconds(4)}, {8, microseconds(54)}), 1'000);
}

TEST_F(GatherPolicyTest, SleepsNotWhenRequestsComeOneByOne) {
  EXPECT_EQ(paused(10'000, {1, microseconds(15)}, {4, microseconds(60)}), 0);
}

TEST_F(GatherPolicyTest, SleepsNotWhenBatchesAreLargeAnyway) {
  EXPECT_EQ(paused(10'000, {48, microseconds(60)}, {64, microseconds(110)}), 0);
}

TEST_F(GatherPolicyTest, StopsSoonWhenLessComes) {
  paused(1'000, {3, microseconds(6)}, {28, microseconds(56)});
  ASSERT_EQ(pause_, kOn);
  EXPECT_LT(paused(10'000, {1, microseconds(100)}, {1, microseconds(100)}), 1'200);
  EXPECT_EQ(pause_, kOff);
}

TEST_F(GatherPolicyTest, ComparesAgainNowAndThen) {
  paused(1'000, {3, microseconds(6)}, {28, microseconds(56)});
  ASSERT_EQ(pause_, kOn);
  // Fewer messages are under way now: the same batch as before the pause, only later.
  EXPECT_LT(paused(100'000, {4, microseconds(8)}, {12, microseconds(60)}), 4'000);
}

TEST_F(GatherPolicyTest, BearsWithSomebodyElseTakingTheCpu) {
  for (int i = 0; i < 20; ++i) {
    paused(100, {3, microseconds(6)}, {28, microseconds(56)});
    policy_.on_batch(64, std::chrono::milliseconds(4));
  }
  EXPECT_EQ(pause_, kOn);
}

}  // namespace
}  // namespace netkit
