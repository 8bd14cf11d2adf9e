#include "plugin/totals_report.hpp"

#include <limits>

#include <gtest/gtest.h>

#include <netkit/cli/shared_definitions.hpp>

namespace netkit {
namespace {

Totals some() {
  Totals totals;
  totals.add("received", std::uint64_t{5});
  totals.add("kernel_drops", std::uint64_t{0});
  totals.add("loss_percent", 12.5);
  totals.add("clients", std::uint64_t{2});
  return totals;
}

TEST(TotalsLine, IsWordsAndNumbers) {
  EXPECT_EQ(totals_line(some()), "received 5, kernel drops 0, loss percent 12.5, clients 2");
  EXPECT_EQ(totals_line(Totals()), "");
}

TEST(TotalsLine, KeepsThreeDecimals) {
  Totals totals;
  totals.add("a", 2.0);
  totals.add("b", 1.23456);
  totals.add("c", 100.0);
  EXPECT_EQ(totals_line(totals), "a 2, b 1.235, c 100");
}

TEST(TotalsLine, HasTheRateOfEachCounter) {
  static constexpr TotalDef kGaugeDef{.name = "clients", .help = "now", .kind = kGauge};
  Totals before;
  before.add("received", std::uint64_t{10});
  Totals now;
  now.add("received", std::uint64_t{15});
  now.add(kGaugeDef, std::uint64_t{2});
  EXPECT_EQ(totals_line(now, {before, 2.0}), "received 15, received per s 2.5, clients 2");
  EXPECT_EQ(stats_record(now, {before, 2.0}, WallTime(std::chrono::seconds(1))),
            "{\"type\":\"stats\",\"time\":\"1970-01-01T00:00:01.000000Z\",\"received\":15,"
            "\"received_per_s\":2.5,\"clients\":2}\n");
}

TEST(TotalsSentence, HasNoZerosAndSeparators) {
  Totals totals;
  totals.add("received", std::uint64_t{1234567});
  totals.add("kernel_drops", std::uint64_t{0});
  totals.add("clients", std::uint64_t{2});
  totals.add("sent", std::uint64_t{3});
  EXPECT_EQ(totals_sentence(totals, 5, true), "received 1,234,567, clients 2, sent 3");
  EXPECT_EQ(totals_sentence(totals, 2, true), "received 1,234,567, clients 2");
  EXPECT_FALSE(has_losses(totals));
  totals.add("dropped_rate", std::uint64_t{1});
  EXPECT_TRUE(has_losses(totals));
}

TEST(TotalsSentence, HasUnitsThatPeopleReadAndOneForAllTimes) {
  static constexpr TotalDef kDefs[] = {
      {"packets_per_s", "", kGauge, TotalUnit::per_second},
      {"bytes", "", TotalKind::counter, TotalUnit::bytes},
      labelled_total(kBytesMetric, "in", "bytes_in", ""),
      {"loss_percent", "", kGauge, TotalUnit::percent},
      {"p50_ms", "", kGauge, TotalUnit::milliseconds},
      {"p99_ms", "", kGauge, TotalUnit::milliseconds},
  };
  Totals totals;
  totals.add(kDefs[0], 1151708.675);
  totals.add(kDefs[1], std::uint64_t{52896});
  totals.add(kDefs[2], std::uint64_t{64});
  totals.add(kDefs[3], 2.5);
  totals.add(kDefs[4], 0.083);
  totals.add(kDefs[5], 3.46);
  EXPECT_EQ(totals_sentence(totals, 6, true),
            "packets per s 1,151,709, bytes 53 kB, bytes in 64 B, loss 2.5 %, p50 83 \u00b5s, "
            "p99 3,460 \u00b5s");
  EXPECT_TRUE(totals_sentence(totals, 5, false).ends_with("p50 83 us"));
}

TEST(EndRecord, SaysWhetherItWentWell) {
  EXPECT_EQ(end_record(some(), ""),
            "{\"type\":\"end\",\"ok\":true,\"received\":5,\"kernel_drops\":0,"
            "\"loss_percent\":12.5,\"clients\":2}\n");
  EXPECT_EQ(end_record(Totals(), "no \"reply\""),
            "{\"type\":\"end\",\"ok\":false,\"error\":\"no \\\"reply\\\"\"}\n");
}

TEST(EndRecord, HasNullForWhatIsNoNumber) {
  Totals totals;
  totals.add("mean", std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(end_record(totals, ""), "{\"type\":\"end\",\"ok\":true,\"mean\":null}\n");
}

}  // namespace
}  // namespace netkit
