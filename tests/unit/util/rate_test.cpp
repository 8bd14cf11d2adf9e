#include "support/rate_probe.hpp"

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

TEST(RateText, IsReadPerSecond) {
  EXPECT_EQ(read_rate("100/s"), 100);
  EXPECT_EQ(read_rate("100"), 100);
  EXPECT_EQ(read_rate("6/m"), 0.1);
  EXPECT_EQ(read_rate("0.5/s"), 0.5);
}

TEST(RateText, RefusesWhatIsNone) {
  for (const char* text :
       {"", "0", "0/s", "-1/s", "1/x", "/s", "1 /s", "1/", "1/ss", "9999999999999/s"}) {
    EXPECT_FALSE(read_rate(text)) << text;
  }
  EXPECT_THROW(parse_rate("5x"), UsageError);
}

TEST(TokenBucketTest, LetsABurstAndThenTheRateThrough) {
  TokenBucket bucket(100, 10, kStart);
  const auto take = [&](TimePoint now) { return bucket.take(now); };
  EXPECT_EQ(test::passed(50, 0s, kStart, take), 10);
  EXPECT_NEAR(test::passed(100'000, 10s, kStart, take), 1000, 1);
}

TEST(TokenBucketTest, FillsUpToItsBurstOnly) {
  TokenBucket bucket(100, 10, kStart);
  EXPECT_EQ(test::passed(50, 0s, kStart + 1h, [&](TimePoint now) { return bucket.take(now); }), 10);
}

TEST(TokenBucketTest, SaysWhenItIsReady) {
  TokenBucket bucket(10, 1, kStart);
  EXPECT_EQ(bucket.ready_at(kStart), kStart);
  ASSERT_TRUE(bucket.take(kStart));
  const TimePoint ready = bucket.ready_at(kStart);
  EXPECT_FALSE(bucket.take(ready - 1us));
  EXPECT_TRUE(bucket.take(ready));
  EXPECT_LT(ready - kStart, 100ms + 1us);
  EXPECT_EQ(bucket.ready_at(kStart, 2), TimePoint::max());
}

}  // namespace
}  // namespace netkit
