#include <gtest/gtest.h>

#include <netkit/net/reconnect.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kBegin{1000s};
constexpr Reconnect::Options kForever{.limit = Reconnect::kForever};

TEST(ReconnectTest, ReadsItsLimit) {
  EXPECT_EQ(Reconnect::parse_limit("never"), 0U);
  EXPECT_EQ(Reconnect::parse_limit("3"), 3U);
  EXPECT_EQ(Reconnect::parse_limit("forever"), Reconnect::kForever);
  for (const char* wrong : {"", "-1", "3x", "always"}) {
    EXPECT_THROW(Reconnect::parse_limit(wrong), UsageError) << wrong;
  }
}

TEST(ReconnectTest, NeverTriesAgainWithoutALimit) {
  EXPECT_FALSE(Reconnect({.limit = Reconnect::kNever}).next(kBegin, 1));
}

TEST(ReconnectTest, GivesUpAfterItsAttempts) {
  Reconnect reconnect({.limit = 2});
  EXPECT_EQ(reconnect.next(kBegin, 1), 100ms);
  reconnect.connected(kBegin);
  EXPECT_EQ(reconnect.next(kBegin + 1s, 1), 200ms) << "a short connection gives nothing back";
  EXPECT_EQ(reconnect.attempts(), 2U);
  EXPECT_FALSE(reconnect.next(kBegin + 2s, 1));
}

TEST(ReconnectTest, HasAllAttemptsAfterAHealthyMinute) {
  Reconnect reconnect({.limit = 1});
  EXPECT_EQ(reconnect.next(kBegin, 1), 100ms);
  reconnect.connected(kBegin);
  EXPECT_EQ(reconnect.next(kBegin + 60s, 1), 100ms);
}

TEST(ReconnectTest, DoublesItsWaitUpToTheMaximum) {
  Reconnect reconnect({.limit = Reconnect::kForever, .maximum = 1s});
  for (const Duration wait : {100ms, 200ms, 400ms, 800ms}) {
    EXPECT_EQ(reconnect.next(kBegin, 1), wait);
  }
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(reconnect.next(kBegin, 1), 1s);
}

TEST(ReconnectTest, JittersOverTheWholeRange) {
  Reconnect reconnect(kForever);
  EXPECT_EQ(reconnect.next(kBegin, 0), 0ms);
  EXPECT_EQ(reconnect.next(kBegin, 0.25), 50ms);
}

TEST(ReconnectTest, StartsAnewAfterAHealthyMinute) {
  Reconnect reconnect(kForever);
  for (int i = 0; i < 5; ++i) reconnect.next(kBegin, 1);
  reconnect.connected(kBegin);
  EXPECT_EQ(reconnect.next(kBegin + 60s, 1), 100ms);
}

TEST(ReconnectTest, GoesOnAfterAConnectionThatDidNotLast) {
  Reconnect reconnect(kForever);
  reconnect.next(kBegin, 1);
  reconnect.connected(kBegin);
  EXPECT_EQ(reconnect.next(kBegin + 59s, 1), 200ms);
  EXPECT_EQ(reconnect.next(kBegin + 200s, 1), 400ms) << "it was not connected since";
}

TEST(ReconnectTest, TakesNoStepOverItsMaximum) {
  Reconnect reconnect({.limit = Reconnect::kForever, .initial = 5s, .maximum = 2s});
  EXPECT_EQ(reconnect.next(kBegin, 1), 2s);
  Reconnect endless({.limit = Reconnect::kForever, .maximum = kNever});
  for (int i = 0; i < 100; ++i) EXPECT_GT(endless.next(kBegin, 0.5), 0s);
}

TEST(ReconnectTest, IsNoBusyLoopWhateverIsAskedFor) {
  Reconnect none({.limit = Reconnect::kForever, .maximum = 0s});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(none.next(kBegin, 1), 1ms);
  Reconnect at_once({.limit = Reconnect::kForever, .initial = 0s});
  EXPECT_EQ(at_once.next(kBegin, 1), 1ms);
}

TEST(ReconnectTest, KeepsWithinTheBoundsOfAServer) {
  Reconnect reconnect(kForever);
  EXPECT_EQ(reconnect.next(kBegin, 1, {.least = 3s}), 3s);
  EXPECT_EQ(reconnect.next(kBegin, 1, {.most = 0s}), 0s);
  EXPECT_EQ(reconnect.next(kBegin, 1, RetryBounds::exactly(7s)), 7s);
  EXPECT_EQ(reconnect.next(kBegin, 1), 800ms) << "each of them counted";
}

class OutageTest : public testing::Test {
 protected:
  std::string fails(std::string_view why = "connection refused", std::string_view next = "a:1",
                    Duration wait = 120ms) {
    return said(outage_.failed(now_, "a:1", why, next, wait));
  }
  std::string connects(std::string_view server = "a:1") {
    return said(outage_.connected(now_, server));
  }
  // What is for -v alone has a `+` in front.
  static std::string said(const Outage::Line& line) {
    return (line.level == LogLevel::notice ? "" : "+") + line.text;
  }

  Outage outage_;
  TimePoint now_ = kBegin;
};

TEST_F(OutageTest, IsSaidOnceWhenItBeginsAndOnceWhenItIsOver) {
  EXPECT_EQ(connects(), "+connected to a:1");
  EXPECT_EQ(fails(Outage::lost("closed by the peer")),
            "a:1: connection lost: closed by the peer; trying again in 120 ms");
  EXPECT_TRUE(outage_.lasts());
  now_ += 5s;
  EXPECT_EQ(fails(), "+a:1: connection refused; trying again in 120 ms");
  now_ += 7s;
  EXPECT_EQ(connects(), "a:1: connected again after 12 s");
  EXPECT_FALSE(outage_.lasts());
  EXPECT_EQ(fails(), "a:1: connection refused; trying again in 120 ms") << "this is another one";
}

TEST_F(OutageTest, IsNotConnectedAgainBeforeTheFirstTime) {
  fails();
  now_ += 1500ms;
  EXPECT_EQ(connects(), "a:1: connected after 1.5 s");
}

TEST_F(OutageTest, NamesTheServerThatComesNext) {
  EXPECT_EQ(fails("connection refused", "b:2", 0s), "a:1: connection refused; trying b:2");
  EXPECT_EQ(fails("connection refused", "b:2", 3s),
            "+a:1: connection refused; trying b:2 in 3.0 s");
  EXPECT_EQ(connects("b:2"), "b:2: connected after 0 ms");
}

TEST_F(OutageTest, DoesNotMentionAWaitOfZero) {
  EXPECT_EQ(fails("started anew", "a:1", 0s), "a:1: started anew; trying again");
}

TEST_F(OutageTest, TellsTimesAsExactlyAsPeopleNeedThem) {
  fails();
  now_ += 200s;
  EXPECT_EQ(connects(), "a:1: connected after 3 min");
  EXPECT_EQ(fails("silent", "a:1", 3h), "a:1: silent; trying again in 3 h");
  EXPECT_EQ(fails("silent", "a:1", 1us), "+a:1: silent; trying again in 1 ms");
}

}  // namespace
}  // namespace netkit
