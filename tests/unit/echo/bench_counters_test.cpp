#include <cmath>
#include <echo/report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::HasSubstr;

BenchCounters some_counters() {
  BenchCounters counters;
  counters.sent = 1000;
  counters.received = 900;
  counters.lost = 100;
  counters.bytes_received = 57'600;
  counters.latency.record(microseconds(20), 900);
  return counters;
}

std::string BlocksOfFullWidth() {
  std::string bar;
  for (int i = 0; i < 58 - 23; ++i) bar += "\u2588";
  return bar;
}

TEST(BenchCountersTest, SumsUp) {
  const BenchResult result = summarize(some_counters(), seconds(2));
  EXPECT_DOUBLE_EQ(result.packets_per_s, 450);
  EXPECT_DOUBLE_EQ(result.bytes_per_s, 28'800);
  EXPECT_DOUBLE_EQ(result.loss_percent, 10);
}

TEST(BenchCountersTest, SumsUpNothing) {
  const BenchResult result = summarize({}, Duration::zero());
  EXPECT_TRUE(std::isnan(result.packets_per_s));
  EXPECT_TRUE(std::isnan(result.loss_percent));
}

TEST(BenchCountersTest, LossIsOfWhatIsSettled) {
  BenchCounters counters;
  counters.sent = 100;
  counters.received = 50;  // the others are under way
  EXPECT_DOUBLE_EQ(counters.loss_percent(), 0);
}

TEST(BenchCountersTest, ReportsForPeople) {
  const BenchCounters counters = some_counters();
  EXPECT_EQ(bench_report(counters, summarize(counters, seconds(2)), true),
            "replies   900 of 1,000   100 lost   in 2.00 s\n"
            "rate      450 replies/s   29 kB/s   230 kbit/s\n"
            "latency   min 20   mean 20   p50 20   p90 20   p99 20   max 20 \u00b5s\n"
            "\n"
            "   \u2264  32 \u00b5s   " +
                BlocksOfFullWidth() + "  100.0 %\n");
}

TEST(BenchCountersTest, ReportsWhatWasNotSent) {
  BenchCounters counters = some_counters();
  counters.skipped = 5000;
  EXPECT_THAT(bench_report(counters, summarize(counters, seconds(2)), false),
              HasSubstr("5,000 messages were not sent"));
}

TEST(BenchCountersTest, ChoosesTheUnitOnceALine) {
  BenchCounters counters = some_counters();
  counters.latency.record(microseconds(3'460), 100);
  EXPECT_THAT(bench_report(counters, summarize(counters, seconds(2)), false),
              HasSubstr("p99 3,460   p99.9 3,460   max 3,460 us\n"));
}

TEST(BenchCountersTest, ShowsAnInterval) {
  BenchInterval interval{.received = 1'772'145, .bytes = 113'417'280, .lost = 1234, .latency = {}};
  interval.latency.record(microseconds(67), 1000);
  interval.latency.record(microseconds(3'500));
  EXPECT_EQ(interval_row(interval, {0, 1}, true),
            "  0-1   s   1,772,145 replies/s   113 MB/s   1,234 lost   p50 67   p99 67   "
            "max 3,500 \u00b5s");
  EXPECT_THAT(interval_row({}, {1, 2}, false), testing::EndsWith("0 lost   no reply"));
}

}  // namespace
}  // namespace netkit::echo
