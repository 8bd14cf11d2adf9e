#include "support/rate_probe.hpp"

#include <cstdint>

#include <gtest/gtest.h>

#include <netkit/net/source_limits.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

IpAddress Source(std::uint32_t number) {
  return IpAddress::v4(0x0Au | number << 8);
}

TEST(SourceRateLimiterTest, LimitsEachSourceByItself) {
  SourceRateLimiter limiter({.per_second = 10, .burst = 5, .sources = 64, .seed = 1});
  for (std::uint32_t source = 1; source <= 3; ++source) {
    EXPECT_EQ(test::passed(100, 0s, kStart,
                           [&](TimePoint now) { return limiter.allow(Source(source), now); }),
              5);
  }
  EXPECT_EQ(limiter.refused(), 3u * 95);
  EXPECT_NEAR(test::passed(10'000, 10s, kStart,
                           [&](TimePoint now) { return limiter.allow(Source(1), now); }),
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
  EXPECT_EQ(
      test::passed(100, 0s, kStart, [&](TimePoint now) { return limiter.allow(Source(1), now); }),
      100);
}

}  // namespace
}  // namespace netkit
