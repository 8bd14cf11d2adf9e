#include "loop/timer_queue.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace netkit {
namespace {

using namespace std::chrono_literals;

class TimerQueueTest : public testing::Test {
 protected:
  TimerQueue::Id add(Duration due, int tag) {
    return queue_.add(TimePoint(due), Duration::zero(), [this, tag] { ran_.push_back(tag); });
  }
  void run_until(Duration now) {
    queue_.run_due(TimePoint(now));
    queue_.release_cancelled();
  }
  TimerQueue queue_;
  std::vector<int> ran_;
};

TEST_F(TimerQueueTest, RunsWhatIsDueAndNothingElse) {
  add(3s, 3);
  add(1s, 1);
  add(2s, 2);
  run_until(2s);
  EXPECT_EQ(ran_, (std::vector{1, 2}));
  EXPECT_EQ(queue_.next_due(), TimePoint(3s));
}

TEST_F(TimerQueueTest, KnowsWhatIsPending) {
  const auto id = add(1s, 1);
  EXPECT_TRUE(queue_.pending(id));
  run_until(1s);
  EXPECT_FALSE(queue_.pending(id));
  queue_.cancel(id);
}

TEST_F(TimerQueueTest, APeriodicTimerSkipsWhatItMissed) {
  const auto id = queue_.add(TimePoint(1s), 1s, [this] { ran_.push_back(1); });
  run_until(1s);
  EXPECT_EQ(queue_.next_due(), TimePoint(2s));
  run_until(10s);
  EXPECT_EQ(ran_.size(), 2U);
  EXPECT_EQ(queue_.next_due(), TimePoint(11s));
  queue_.cancel(id);
  EXPECT_FALSE(queue_.next_due());
}

TEST_F(TimerQueueTest, ACallbackMayCancelAnotherThatIsDue) {
  TimerQueue::Id second = 0;
  queue_.add(TimePoint(1s), Duration::zero(), [&] { queue_.cancel(second); });
  second = add(1s, 2);
  run_until(1s);
  EXPECT_TRUE(ran_.empty());
}

TEST_F(TimerQueueTest, AnOldIdDoesNotCancelTheSlotsNextTimer) {
  const auto old = add(1s, 1);
  run_until(1s);
  const auto fresh = add(2s, 2);
  queue_.cancel(old);
  EXPECT_TRUE(queue_.pending(fresh));
}

TEST_F(TimerQueueTest, KeepsOrderUnderRandomAddsAndCancels) {
  std::mt19937 random(7);
  std::vector<TimerQueue::Id> ids;
  for (int i = 0; i < 2000; ++i) {
    const auto due = std::chrono::milliseconds(random() % 1000);
    ids.push_back(queue_.add(TimePoint(due), Duration::zero(),
                             [this, due] { ran_.push_back(static_cast<int>(due.count())); }));
    if (i % 3 == 0) queue_.cancel(ids[random() % ids.size()]);
  }
  run_until(1s);
  EXPECT_TRUE(std::is_sorted(ran_.begin(), ran_.end()));
  EXPECT_GT(ran_.size(), 1000U);
  EXPECT_FALSE(queue_.next_due());
}

}  // namespace
}  // namespace netkit
