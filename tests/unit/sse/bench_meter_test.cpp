#include <cmath>
#include <sse/bench_meter.hpp>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class BenchMeterTest : public testing::Test {
 protected:
  void event(std::size_t reader, std::string_view id, Duration when) {
    meter_.on_event(readers_.at(reader), id, TimePoint(when));
  }
  double total(std::string_view name) {
    Totals totals;
    meter_.fill(totals, 1s);
    for (const Totals::Entry& entry : totals.entries()) {
      if (entry.name == name) return std::get<double>(entry.value);
    }
    ADD_FAILURE() << name;
    return 0;
  }

  BenchMeter meter_{2};
  std::vector<BenchMeter::Reader> readers_{2};
};

TEST_F(BenchMeterTest, LagIsBehindWhoeverHadTheEventFirst) {
  event(0, "1", 10ms);
  event(1, "1", 13ms);
  event(1, "2", 20ms);
  event(0, "1", 21ms);  // an old one, once more
  event(0, "2", 24ms);
  EXPECT_NEAR(total("lag_max_ms"), 11, 0.1);
  EXPECT_NEAR(total("lag_p50_ms"), 3, 0.1);
}

TEST_F(BenchMeterTest, EventsWithoutIdsHaveNoLag) {
  event(0, "", 10ms);
  event(1, "", 20ms);
  EXPECT_TRUE(std::isnan(total("lag_max_ms")));
}

TEST_F(BenchMeterTest, GapsAreOfOneReader) {
  event(0, "1", 10ms);
  event(1, "1", 11ms);
  event(0, "2", 30ms);
  EXPECT_NEAR(total("gap_max_ms"), 20, 0.1);
  EXPECT_NEAR(total("first_max_ms"), 11, 0.1);
}

TEST_F(BenchMeterTest, WhoStillWaitsAtTheEndHasWaitedAsWell) {
  event(0, "1", 10ms);
  meter_.on_wait(readers_[0], TimePoint(110ms));
  meter_.on_wait(readers_[1], TimePoint(110ms));
  EXPECT_THAT(meter_.verdict({.max_gap = 50ms}), HasSubstr("no further event for 100"));
  EXPECT_THAT(meter_.verdict({.max_first = 50ms}), HasSubstr("no event for 110"));
  EXPECT_EQ(meter_.verdict({.max_first = 200ms, .max_gap = 200ms}), "");
}

TEST_F(BenchMeterTest, WhatTheBestReaderHadIsLostToTheOther) {
  EXPECT_TRUE(std::isnan(meter_.lost()));
  for (int i = 0; i < 4; ++i) event(0, "", 10ms * (i + 1));
  event(1, "", 10ms);
  EXPECT_DOUBLE_EQ(meter_.lost(), 37.5);
}

TEST_F(BenchMeterTest, TheVerdictNamesWhatWasMissed) {
  EXPECT_EQ(meter_.verdict({}), "no event was received");
  event(0, "1", 10ms);
  event(0, "2", 40ms);
  EXPECT_EQ(meter_.verdict({.max_first = 10ms, .max_gap = 31ms, .max_lost = 50}), "");
  EXPECT_THAT(meter_.verdict({.max_first = 9ms}), HasSubstr("(--max-first)"));
  EXPECT_THAT(meter_.verdict({.max_gap = 29ms}), HasSubstr("(--max-gap)"));
  EXPECT_EQ(meter_.verdict({.max_lost = 49.9}), "50.00 % of the events are lost (--max-lost)");
}

TEST_F(BenchMeterTest, ARowIsOfItsPartOfTheTime) {
  event(0, "1", 10ms);
  event(0, "2", 20ms);
  meter_.on_bytes(2000);
  EXPECT_EQ(meter_.take_interval().events, 2u);
  event(0, "3", 30ms);
  event(0, "4", 50ms);
  meter_.on_bytes(1000);
  const std::string row = interval_row(meter_.take_interval(), 1, {.from = 1, .to = 1.5}, false);
  EXPECT_THAT(row, testing::StartsWith("  1-1.5 s   1 reader   4 events/s   2 kB/s   gap p50 10"));
  EXPECT_THAT(row, HasSubstr("   lag p50 0"));
  EXPECT_EQ(interval_row({}, 0, {.from = 0, .to = 1}, false),
            "  0-1   s   0 readers   0 events/s   0 B/s");
}

}  // namespace
}  // namespace netkit::sse
