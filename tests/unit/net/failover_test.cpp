#include <string>

#include <gtest/gtest.h>

#include <netkit/net/reconnect.hpp>

namespace netkit {
namespace {

// The attempts that follow the current one, as text; `|` is the reconnect delay.
std::string after(Failover& failover, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (failover.round_is_over()) text += '|';
    failover.next();
    text += std::to_string(failover.current());
  }
  return text;
}

TEST(FailoverTest, GoesRoundAndRoundAndWaitsBetweenRounds) {
  Failover failover(3);
  EXPECT_EQ(failover.current(), 0U);
  EXPECT_EQ(after(failover, 6), "12|012|0");
}

TEST(FailoverTest, AfterADropTheServerInUseIsFirst) {
  Failover failover(3);
  EXPECT_EQ(after(failover, 1), "1");
  failover.connected();
  EXPECT_EQ(failover.current(), 1U);
  EXPECT_EQ(after(failover, 6), "|102|102");
}

TEST(FailoverTest, AnotherThatConnectsTakesItsPlace) {
  Failover failover(3);
  after(failover, 1);
  failover.connected();
  EXPECT_EQ(after(failover, 3), "|102");
  failover.connected();
  EXPECT_EQ(after(failover, 4), "|201|2");
  failover.connected();
  EXPECT_EQ(after(failover, 3), "|201");
}

TEST(FailoverTest, OneServerWaitsEachTime) {
  Failover failover(1);
  EXPECT_EQ(after(failover, 2), "|0|0");
}

}  // namespace
}  // namespace netkit
