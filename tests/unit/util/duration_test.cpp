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

}  // namespace
}  // namespace netkit
