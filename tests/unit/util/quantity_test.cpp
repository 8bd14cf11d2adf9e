#include "support/rate_probe.hpp"

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, IsRead) {
  EXPECT_EQ(read_duration("500ms"), 500ms);
  EXPECT_EQ(read_duration("5s"), 5s);
  EXPECT_EQ(read_duration("2m"), 2min);
  EXPECT_EQ(read_duration("1.5h"), 90min);
  EXPECT_EQ(read_duration("2d"), 48h);
  EXPECT_EQ(read_duration("20us"), 20us);
  EXPECT_EQ(read_duration("7ns"), 7ns);
  EXPECT_EQ(read_duration(".5s"), 500ms);
  EXPECT_EQ(read_duration("0"), 0s);
}

TEST(DurationText, ABareNumberIsSeconds) {
  EXPECT_EQ(read_duration("3"), 3s);
  EXPECT_EQ(read_duration("0.25"), 250ms);
}

TEST(DurationText, NoneIsNever) {
  EXPECT_EQ(read_duration("none"), kNever);
}

TEST(DurationText, IsExact) {
  EXPECT_EQ(read_duration("0.123456789"), 123456789ns);
  EXPECT_EQ(read_duration("0.1ns"), 0ns);
  EXPECT_EQ(read_duration("1.00000000000000000000000000001s"), 1s);
}

TEST(DurationText, RefusesWhatIsNone) {
  for (const char* text : {"", "5x", "-5s", "+5s", " 5s", "5 s", "5s ", "s", ".", "5.", "5.s",
                           "1e3", "5S", "None", "1h30m", "0x10", "nan", "inf", "1,5s"}) {
    EXPECT_FALSE(read_duration(text)) << text;
  }
}

TEST(DurationText, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(read_duration("9223372036.854775806"));
  EXPECT_FALSE(read_duration("9223372036.854775807")) << "that would be kNever";
  EXPECT_FALSE(read_duration("106752d"));
  EXPECT_FALSE(read_duration("99999999999999999999999s"));
}

TEST(DurationText, SaysWhatWouldBeRight) {
  try {
    parse_duration("5x");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "'5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)");
  }
}

TEST(DurationText, IsWrittenInTheLargestFittingUnit) {
  EXPECT_EQ(format_duration(500ms), "500ms");
  EXPECT_EQ(format_duration(5s), "5s");
  EXPECT_EQ(format_duration(90min), "1.5h");
  EXPECT_EQ(format_duration(1250ms), "1250ms");
  EXPECT_EQ(format_duration(1501ns), "1501ns");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(-2s), "-2s");
  EXPECT_EQ(format_duration(kNever), "none");
  EXPECT_EQ(format_duration(Duration::min()), "-9223372036854775808ns");
}

TEST(DurationText, IsReadBackAsItWasWritten) {
  for (Duration duration = 1ns; duration < 1000h; duration = duration * 3 + 1ns) {
    EXPECT_EQ(read_duration(format_duration(duration)), duration);
  }
}

TEST(SizeText, IsReadInPowersOf1024) {
  EXPECT_EQ(read_size("1200"), 1200u);
  EXPECT_EQ(read_size("64k"), 65536u);
  EXPECT_EQ(read_size("64K"), 65536u);
  EXPECT_EQ(read_size("1M"), 1048576u);
  EXPECT_EQ(read_size("1.5G"), 1610612736u);
  EXPECT_EQ(read_size("2T"), 2199023255552u);
  EXPECT_EQ(read_size("0"), 0u);
}

TEST(SizeText, MayEndInB) {
  EXPECT_EQ(read_size("100B"), 100u);
  EXPECT_EQ(read_size("64kB"), 65536u);
  EXPECT_EQ(read_size("64KiB"), 65536u);
}

TEST(SizeText, RefusesWhatIsNone) {
  for (const char* text :
       {"", "5x", "-1", "+1", "1 k", "k", "1kk", "1iB", "1kb", "1m", "1e3", "0x1", "1ki"}) {
    EXPECT_FALSE(read_size(text)) << text;
  }
}

TEST(SizeText, RefusesWhatDoesNotFit) {
  EXPECT_EQ(read_size("9223372036854775807"), 9223372036854775807u);
  EXPECT_FALSE(read_size("9223372036854775808"));
  EXPECT_FALSE(read_size("8388608T"));
  EXPECT_FALSE(read_size("99999999999999999999999"));
}

TEST(SizeText, SaysWhatWouldBeRight) {
  try {
    parse_size("5x");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "'5x' is not a size (write 1200, 64k, 1M or 2G)");
  }
}

TEST(SizeText, IsWrittenInTheLargestWholeUnit) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1200), "1200");
  EXPECT_EQ(format_size(65536), "64k");
  EXPECT_EQ(format_size(1u << 20), "1M");
  EXPECT_EQ(format_size(1610612736), "1536M");
}

constexpr TimePoint kStart{1000s};

TEST(RateText, IsReadPerSecond) {
  EXPECT_EQ(read_rate("100/s"), 100);
  EXPECT_EQ(read_rate("100"), 100);
  EXPECT_EQ(read_rate("6/m"), 0.1);
  EXPECT_EQ(read_rate("0.5/s"), 0.5);
}

TEST(RateText, RefusesWhatIsNone) {
  for (const char* text : {"", "0", "0/s", "-1/s", "1/x", "/s", "1 /s", "1/", "1/ss",
                           "9999999999999/s", "0.0000000001/s"}) {
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
