#include <echo/rate_search.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

// Searches at a server that bears `limit` messages a second; how many steps it took.
int steps_to_find(RateSearch& search, double limit) {
  int steps = 0;
  for (; !search.done() && steps < 100; ++steps) search.judge(search.rate() <= limit);
  return steps;
}

TEST(RateSearchTest, ComesCloseFromBelow) {
  for (const double limit : {1'234.0, 50'000.0, 777'777.0}) {
    RateSearch search(1'000);
    EXPECT_LT(steps_to_find(search, limit), 25);
    ASSERT_TRUE(search.highest());
    EXPECT_LE(*search.highest(), limit);
    EXPECT_GT(*search.highest(), 0.97 * limit);
  }
}

TEST(RateSearchTest, GoesDownWhereTheFirstRateIsTooHigh) {
  RateSearch search(1'000'000);
  steps_to_find(search, 300);
  ASSERT_TRUE(search.highest());
  EXPECT_GT(*search.highest(), 0.97 * 300);
}

TEST(RateSearchTest, FindsNothingWhereNothingPasses) {
  RateSearch search(1'000);
  EXPECT_LT(steps_to_find(search, 0), 100);
  EXPECT_FALSE(search.highest());
}

TEST(RateSearchTest, HasAnEndWhereEverythingPasses) {
  RateSearch search(1'000);
  EXPECT_LT(steps_to_find(search, 1e12), 100);
  EXPECT_TRUE(search.highest());
}

}  // namespace
}  // namespace netkit::echo
