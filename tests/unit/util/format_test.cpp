#include <cstdlib>
#include <ctime>
#include <optional>

#include <gtest/gtest.h>

#include <netkit/util/format.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

// 2026-11-20 15:12:29.123456 UTC.
constexpr WallTime kTime{1795187549s + 123456us};

class LocalTime : public testing::Test {
 protected:
  LocalTime() {
    if (const char* zone = std::getenv("TZ")) before_ = zone;
    ::setenv("TZ", "EST5", 1);
    ::tzset();
  }
  ~LocalTime() override {
    before_ ? ::setenv("TZ", before_->c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }

 private:
  std::optional<std::string> before_;
};

TEST(AppendNumber, WritesDecimals) {
  std::string out;
  append_unsigned(out, 0);
  out += ' ';
  append_unsigned(out, UINT64_MAX);
  out += ' ';
  append_signed(out, INT64_MIN);
  EXPECT_EQ(out, "0 18446744073709551615 -9223372036854775808");
}

TEST(AppendNumber, WritesFixedPoint) {
  std::string out;
  append_fixed(out, 1.0 / 3, 3);
  out += ' ';
  append_fixed(out, -2.5, 1);
  out += ' ';
  append_fixed(out, 12.96, 0);
  EXPECT_EQ(out, "0.333 -2.5 13");
}

TEST(Rfc3339, IsUtcWithMicroseconds) {
  EXPECT_EQ(rfc3339(kTime), "2026-11-20T15:12:29.123456Z");
  EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(rfc3339(WallTime{-1us}), "1969-12-31T23:59:59.999999Z");
}

TEST(Rfc3339, FollowsTheClockForwardsAndBackwards) {
  TimeFormatter formatter;
  std::string out;
  for (const Duration step : {0us, 1us, 1'000'000us, -1'000'000us}) {
    formatter.append_rfc3339(out, kTime + step);
    out += '\n';
  }
  EXPECT_EQ(out,
            "2026-11-20T15:12:29.123456Z\n2026-11-20T15:12:29.123457Z\n"
            "2026-11-20T15:12:30.123456Z\n2026-11-20T15:12:28.123456Z\n");
}

TEST_F(LocalTime, IsADateForPeople) {
  EXPECT_EQ(local_date(kTime), "2026-11-20 10:12:29");
}

TEST_F(LocalTime, IsWhatCtimeWrites) {
  EXPECT_EQ(ctime_text(kTime), "Fri Nov 20 10:12:29 2026");
  for (std::int64_t day = 0; day < 800; ++day) {
    const auto time = static_cast<std::time_t>(1795187549 + day * 86'400);
    char expected[32];
    ::ctime_r(&time, expected);
    EXPECT_EQ(ctime_text(WallTime(std::chrono::seconds(time))) + "\n", expected);
  }
}

TEST(Grouped, HasACommaBeforeEachThreeDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(123456), "123,456");
  EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(ShortNumber, HasAsManyDigitsAsPeopleRead) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.314), "0.31");
  EXPECT_EQ(short_number(8.44), "8.4");
  EXPECT_EQ(short_number(8), "8");
  EXPECT_EQ(short_number(9.96), "10");
  EXPECT_EQ(short_number(71.4), "71");
  EXPECT_EQ(short_number(1'772'145), "1,772,145");
}

TEST(ShortQuantity, HasPowersOf1000) {
  EXPECT_EQ(short_quantity(64, "B"), "64 B");
  EXPECT_EQ(short_quantity(999.7, "B"), "1 kB");
  EXPECT_EQ(short_quantity(113'417'280, "B/s"), "113 MB/s");
  EXPECT_EQ(short_quantity(915e6, "bit/s"), "915 Mbit/s");
}

}  // namespace
}  // namespace netkit
