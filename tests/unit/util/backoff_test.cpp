#include <gtest/gtest.h>

#include <netkit/util/backoff.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

TEST(BackoffTest, DoublesUpToItsMaximum) {
  Backoff backoff({.maximum = 1s});
  EXPECT_EQ(backoff.next(kStart, 1), 100ms);
  EXPECT_EQ(backoff.next(kStart, 1), 200ms);
  EXPECT_EQ(backoff.next(kStart, 1), 400ms);
  EXPECT_EQ(backoff.next(kStart, 1), 800ms);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(backoff.next(kStart, 1), 1s);
}

TEST(BackoffTest, JittersOverTheWholeRange) {
  Backoff backoff;
  EXPECT_EQ(backoff.next(kStart, 0), 0ms);
  EXPECT_EQ(backoff.next(kStart, 0.25), 50ms);
}

TEST(BackoffTest, StartsAnewAfterAHealthyMinute) {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) backoff.next(kStart, 1);
  backoff.connected(kStart);
  EXPECT_EQ(backoff.next(kStart + 60s, 1), 100ms);
}

TEST(BackoffTest, GoesOnAfterAConnectionThatDidNotLast) {
  Backoff backoff;
  backoff.next(kStart, 1);
  backoff.connected(kStart);
  EXPECT_EQ(backoff.next(kStart + 59s, 1), 200ms);
  EXPECT_EQ(backoff.next(kStart + 200s, 1), 400ms) << "it was not connected since";
}

TEST(BackoffTest, TakesNoStepOverItsMaximum) {
  Backoff backoff({.initial = 5s, .maximum = 2s});
  EXPECT_EQ(backoff.next(kStart, 1), 2s);
  Backoff endless({.maximum = kNever});
  for (int i = 0; i < 100; ++i) EXPECT_GT(endless.next(kStart, 0.5), 0s);
}

TEST(BackoffTest, IsNoBusyLoopWhateverIsAskedFor) {
  Backoff none({.maximum = 0s});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(none.next(kStart, 1), 1ms);
  Backoff at_once;
  at_once.set_initial(0s);
  EXPECT_EQ(at_once.next(kStart, 1), 1ms);
}

}  // namespace
}  // namespace netkit
