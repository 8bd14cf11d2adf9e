#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/reconnect.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

TEST(ReconnectTest, ReadsItsLimit) {
  EXPECT_EQ(Reconnect::parse_limit("never"), 0U);
  EXPECT_EQ(Reconnect::parse_limit("3"), 3U);
  EXPECT_EQ(Reconnect::parse_limit("forever"), Reconnect::kForever);
  for (const char* wrong : {"", "-1", "3x", "always"}) {
    EXPECT_THROW(Reconnect::parse_limit(wrong), UsageError) << wrong;
  }
}

TEST(ReconnectTest, NeverTriesAgainWithoutALimit) {
  EXPECT_FALSE(Reconnect(Reconnect::kNever).next(kStart, 1));
}

TEST(ReconnectTest, GivesUpAfterItsAttempts) {
  Reconnect reconnect(2);
  EXPECT_EQ(reconnect.next(kStart, 1), 100ms);
  reconnect.connected(kStart);
  EXPECT_EQ(reconnect.next(kStart + 1s, 1), 200ms) << "a short connection gives nothing back";
  EXPECT_FALSE(reconnect.next(kStart + 2s, 1));
}

TEST(ReconnectTest, HasAllAttemptsAfterAHealthyMinute) {
  Reconnect reconnect(1);
  EXPECT_EQ(reconnect.next(kStart, 1), 100ms);
  reconnect.connected(kStart);
  EXPECT_EQ(reconnect.next(kStart + 60s, 1), 100ms);
}

TEST(ReconnectTest, GoesOnForever) {
  Reconnect reconnect(Reconnect::kForever, {.maximum = 1s});
  for (int i = 0; i < 1000; ++i) EXPECT_LE(reconnect.next(kStart, 1).value_or(2s), 1s);
}

}  // namespace
}  // namespace netkit
