#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

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

}  // namespace
}  // namespace netkit
