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
  BenchCounters counters = some_counters();
  const std::string report = bench_report(counters, summarize(counters, seconds(2)));
  EXPECT_THAT(report, HasSubstr("sent 1000, received 900, lost 100 (10.00 %) in 2.00 s\n"));
  EXPECT_THAT(report, HasSubstr("450 replies/s, 0.029 MB/s\n"));
  EXPECT_THAT(report, HasSubstr("latency min/mean/p50/p90/p99/max 20.0us/"));
  EXPECT_THAT(report, Not(HasSubstr("not sent")));
  counters.skipped = 5;
  EXPECT_THAT(bench_report(counters, summarize(counters, seconds(2))),
              HasSubstr("5 messages were not sent"));
}

}  // namespace
}  // namespace netkit::echo
