#include <frame/failover.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::frame {
namespace {

// The next attempts as text; `|` is the reconnect delay.
std::string attempts(Failover& failover, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const Failover::Attempt attempt = failover.next();
    if (attempt.delay_first) text += '|';
    text += std::to_string(attempt.address);
  }
  return text;
}

TEST(FailoverTest, GoesRoundAndRoundAndWaitsBetweenRounds) {
  Failover failover(3);
  EXPECT_EQ(attempts(failover, 7), "012|012|0");
}

TEST(FailoverTest, AfterADropTheAddressInUseIsFirst) {
  Failover failover(3);
  EXPECT_EQ(attempts(failover, 2), "01");
  failover.on_connected();
  EXPECT_EQ(failover.current(), 1U);
  EXPECT_EQ(attempts(failover, 6), "|102|102");
}

TEST(FailoverTest, AnotherThatConnectsTakesItsPlace) {
  Failover failover(3);
  attempts(failover, 2);
  failover.on_connected();
  EXPECT_EQ(attempts(failover, 3), "|102");
  failover.on_connected();
  EXPECT_EQ(attempts(failover, 4), "|201|2");
  failover.on_connected();
  EXPECT_EQ(attempts(failover, 3), "|201");
}

TEST(FailoverTest, OneAddressWaitsEachTime) {
  Failover failover(1);
  EXPECT_EQ(attempts(failover, 3), "0|0|0");
}

}  // namespace
}  // namespace netkit::frame
