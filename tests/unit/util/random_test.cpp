#include <array>
#include <cstdint>
#include <set>

#include <gtest/gtest.h>

#include <netkit/util/random.hpp>

namespace netkit {
namespace {

TEST(FillRandom, GivesOtherBytesEachTime) {
  std::set<std::array<unsigned char, 16>> seen;
  for (int i = 0; i < 100; ++i) {
    std::array<unsigned char, 16> bytes{};
    fill_random(bytes.data(), bytes.size());
    seen.insert(bytes);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(RandomId, IsNoZeroAndFitsASignedInteger) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t id = random_id();
    EXPECT_GT(static_cast<std::int64_t>(id), 0);
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(RandomEngineTest, RepeatsItselfForTheSameSeed) {
  RandomEngine first(7);
  RandomEngine second(7);
  RandomEngine other(8);
  const std::uint64_t number = first();
  EXPECT_EQ(number, second());
  EXPECT_NE(number, other());
}

TEST(RandomEngineTest, IsUniformBelowABound) {
  RandomEngine random(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts.at(random.below(7));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(RandomEngineTest, GivesFractionsOfOne) {
  RandomEngine random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

}  // namespace
}  // namespace netkit
