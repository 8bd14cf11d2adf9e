#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/rate.hpp>

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

// How many of `attempts`, evenly spread over `span` after `from`, pass.
template <typename Allow>
int Passed(int attempts, Duration span, TimePoint from, Allow&& allow) {
  int passed = 0;
  for (int i = 0; i < attempts; ++i) passed += allow(from + span * i / attempts) ? 1 : 0;
  return passed;
}

TEST(TokenBucketTest, LetsABurstAndThenTheRateThrough) {
  TokenBucket bucket(100, 10, kStart);
  const auto take = [&](TimePoint now) { return bucket.take(now); };
  EXPECT_EQ(Passed(50, 0s, kStart, take), 10);
  EXPECT_NEAR(Passed(100'000, 10s, kStart, take), 1000, 1);
}

TEST(TokenBucketTest, FillsUpToItsBurstOnly) {
  TokenBucket bucket(100, 10, kStart);
  EXPECT_EQ(Passed(50, 0s, kStart + 1h, [&](TimePoint now) { return bucket.take(now); }), 10);
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

IpAddress Source(std::uint32_t number) {
  return IpAddress::v4(0x0Au | number << 8);
}

TEST(SourceRateLimiterTest, LimitsEachSourceByItself) {
  SourceRateLimiter limiter({.per_second = 10, .burst = 5, .sources = 64, .seed = 1});
  for (std::uint32_t source = 1; source <= 3; ++source) {
    EXPECT_EQ(
        Passed(100, 0s, kStart, [&](TimePoint now) { return limiter.allow(Source(source), now); }),
        5);
  }
  EXPECT_EQ(limiter.refused(), 3u * 95);
  EXPECT_NEAR(
      Passed(10'000, 10s, kStart, [&](TimePoint now) { return limiter.allow(Source(1), now); }),
      100, 1);
}

TEST(SourceRateLimiterTest, CountsAV6HostByItsSlash64) {
  SourceRateLimiter limiter({.per_second = 1, .burst = 1, .sources = 64, .seed = 1});
  EXPECT_TRUE(limiter.allow(*IpAddress::parse("2001:db8::1"), kStart));
  EXPECT_FALSE(limiter.allow(*IpAddress::parse("2001:db8::2"), kStart));
  EXPECT_TRUE(limiter.allow(*IpAddress::parse("2001:db8:0:1::2"), kStart));
}

TEST(SourceRateLimiterTest, ForgetsTheSourceThatWasSilentTheLongest) {
  SourceRateLimiter limiter({.per_second = 1, .burst = 1, .sources = 8, .seed = 1});
  for (std::uint32_t source = 0; source < 9; ++source) {
    EXPECT_TRUE(limiter.allow(Source(source), kStart + 1ms * source));
  }
  EXPECT_EQ(limiter.forgotten(), 1u);
  EXPECT_FALSE(limiter.allow(Source(8), kStart + 10ms)) << "still known";
  EXPECT_TRUE(limiter.allow(Source(0), kStart + 10ms)) << "forgotten";
}

TEST(SourceRateLimiterTest, LetsEverythingThroughWithoutARate) {
  SourceRateLimiter limiter({});
  EXPECT_EQ(Passed(100, 0s, kStart, [&](TimePoint now) { return limiter.allow(Source(1), now); }),
            100);
}

}  // namespace
}  // namespace netkit
