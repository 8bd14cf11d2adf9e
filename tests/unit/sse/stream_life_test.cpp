#include <chrono>
#include <sse/stream_life.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using namespace std::chrono_literals;

TEST(Judge, FollowsStatusAndMediaType) {
  EXPECT_EQ(judge(200, "text/event-stream"), Answer::stream);
  EXPECT_EQ(judge(200, "Text/Event-Stream ; charset=iso-8859-1"), Answer::stream);
  EXPECT_EQ(judge(200, "text/event-streams"), Answer::refused);
  EXPECT_EQ(judge(200, "text/html"), Answer::refused);
  EXPECT_EQ(judge(200, ""), Answer::refused);
  EXPECT_EQ(judge(201, "text/event-stream"), Answer::refused);
  EXPECT_EQ(judge(204, ""), Answer::nothing);
  EXPECT_EQ(judge(205, ""), Answer::refused);
  EXPECT_EQ(judge(304, ""), Answer::refused);
  EXPECT_EQ(judge(404, "text/event-stream"), Answer::refused);
  EXPECT_EQ(judge(429, ""), Answer::later);
  EXPECT_EQ(judge(500, "text/event-stream"), Answer::later);
  EXPECT_EQ(judge(503, "text/html"), Answer::later);
  EXPECT_EQ(judge(600, ""), Answer::refused);
}

TEST(Judge, TakesTheLastMediaTypeOfAList) {
  for (const char* const type :
       {"text/html, text/event-stream", "text/event-stream,", "text/event-stream, */*",
        "x, text/event-stream;a=\"b, text/html\"", "text/event-stream;a=\"\\\", text/html\""}) {
    EXPECT_EQ(judge(200, type), Answer::stream) << type;
  }
  for (const char* const type : {"text/event-stream, text/html", "text/event-stream/", ",", "/",
                                 "\"text/event-stream\"", "text /event-stream"}) {
    EXPECT_EQ(judge(200, type), Answer::refused) << type;
  }
}

class LifeTest : public testing::Test {
 protected:
  static Failure refused() { return {ExitStatus::unreachable, "connection refused"}; }
  static Rejection rejection(int status, Duration retry_after = {}) {
    return {status, "text/plain", "busy", retry_after};
  }
  void open_with_event() {
    life_.on_open(now_);
    life_.on_event();
  }
  Duration closed() {
    const Next next = life_.on_close(now_);
    EXPECT_EQ(next.kind, Next::Kind::reconnect);
    return next.delay;
  }
  static StreamLife limited(unsigned reconnects) {
    StreamLife::Options options;
    options.reconnects = reconnects;
    return {options, RandomEngine(1)};
  }

  TimePoint now_{1h};
  WallTime wall_{};
  StreamLife life_{StreamLife::Options(), RandomEngine(1)};
};

TEST_F(LifeTest, ComesBackAfterTheReconnectionTime) {
  open_with_event();
  EXPECT_EQ(closed(), 1s);
}

TEST_F(LifeTest, TakesTheServersReconnectionTime) {
  open_with_event();
  life_.on_retry(250ms);
  EXPECT_EQ(closed(), 250ms);
  open_with_event();
  EXPECT_EQ(closed(), 250ms);
}

TEST_F(LifeTest, ClampsTheReconnectionTime) {
  open_with_event();
  life_.on_retry(1h);
  EXPECT_EQ(closed(), 30s);
  open_with_event();
  life_.on_retry(0ms);
  EXPECT_EQ(closed(), 100ms);
}

TEST_F(LifeTest, TheUserMaySetAShorterReconnectionTime) {
  StreamLife life({{}, 20ms, 30s}, RandomEngine(1));
  life.on_open(now_);
  life.on_event();
  EXPECT_EQ(life.on_close(now_).delay, 20ms);
  life.on_retry(0ms);
  EXPECT_EQ(life.retry(), 20ms);
}

TEST_F(LifeTest, StreamsWithoutEventsBackOff) {
  Duration longest{};
  for (int i = 0; i < 30; ++i) {
    life_.on_open(now_);
    const Duration delay = closed();
    EXPECT_GE(delay, 1s);
    longest = std::max(longest, delay);
  }
  EXPECT_GT(longest, 10s);
  EXPECT_LE(longest, 30s);
}

TEST_F(LifeTest, FailuresBackOffWithJitterAndWithoutABusyLoop) {
  Duration ceiling = 100ms;
  for (int i = 0; i < 30; ++i) {
    const Next next = life_.on_failure(refused(), now_);
    EXPECT_GE(next.delay, 100ms);
    EXPECT_LE(next.delay, ceiling);
    ceiling = std::min<Duration>(2 * ceiling, 30s);
  }
}

TEST_F(LifeTest, FailuresWaitAtLeastWhatTheServerAskedFor) {
  open_with_event();
  life_.on_retry(5s);
  closed();
  EXPECT_GE(life_.on_failure(refused(), now_).delay, 5s);
}

TEST_F(LifeTest, NoContentEndsWellAndSilently) {
  const Next next = life_.on_rejection({204, "", "", {}}, now_);
  EXPECT_EQ(next.kind, Next::Kind::end);
  EXPECT_EQ(next.status, ExitStatus::done);
  EXPECT_EQ(next.message, "");
}

TEST_F(LifeTest, OtherStatusesEndAndShowTheBody) {
  const Next next = life_.on_rejection({404, "text/html", "<p>no\x1b[2J such\n", {}}, now_);
  EXPECT_EQ(next.kind, Next::Kind::end);
  EXPECT_EQ(next.status, ExitStatus::protocol);
  EXPECT_EQ(next.message, "the server answered 404 with text/html: <p>no\\x1b[2J such");
}

TEST_F(LifeTest, AnotherMediaTypeEnds) {
  EXPECT_EQ(life_.on_rejection({200, "application/json", "{}", {}}, now_).message,
            "the server answered 200 with application/json instead of text/event-stream: {}");
  EXPECT_EQ(life_.on_rejection({200, "", "", {}}, now_).message,
            "the server answered 200 without a media type instead of text/event-stream");
}

TEST_F(LifeTest, BusyServersAreAskedAgain) {
  for (const int status : {429, 500, 502, 503}) {
    EXPECT_EQ(life_.on_rejection(rejection(status), now_).kind, Next::Kind::reconnect);
  }
}

TEST_F(LifeTest, HonoursRetryAfter) {
  EXPECT_EQ(life_.on_rejection(rejection(503, 7s), now_).delay, 7s);
  EXPECT_EQ(life_.on_rejection(rejection(429, 90s), now_).delay, 90s);
  EXPECT_EQ(life_.on_rejection(rejection(429, std::chrono::hours(1000)), now_).delay, 24h);
}

TEST_F(LifeTest, WithoutReconnectsTheFirstLossEnds) {
  StreamLife life = limited(0);
  life.on_open(now_);
  const Next next = life.on_close(now_);
  EXPECT_EQ(next.kind, Next::Kind::end);
  EXPECT_EQ(next.status, ExitStatus::unreachable);
  EXPECT_EQ(next.message, "the server closed the stream");
}

TEST_F(LifeTest, ReconnectsAsOftenAsAllowed) {
  StreamLife life = limited(2);
  EXPECT_EQ(life.on_failure(refused(), now_).kind, Next::Kind::reconnect);
  EXPECT_EQ(life.on_failure(refused(), now_).kind, Next::Kind::reconnect);
  const Next next = life.on_failure({ExitStatus::name, "no such host"}, now_);
  EXPECT_EQ(next.kind, Next::Kind::end);
  EXPECT_EQ(next.status, ExitStatus::name);
  EXPECT_EQ(next.message, "no such host, after 2 reconnects");
}

TEST_F(LifeTest, AHealthyMinuteGivesTheReconnectsBack) {
  StreamLife life = limited(1);
  EXPECT_EQ(life.on_failure(refused(), now_).kind, Next::Kind::reconnect);
  life.on_open(now_);
  EXPECT_EQ(life.on_close(now_ + 1min).kind, Next::Kind::reconnect);
  life.on_open(now_ + 2min);
  EXPECT_EQ(life.on_close(now_ + 2min + 59s).kind, Next::Kind::end);
}

TEST_F(LifeTest, PermanentFailuresEnd) {
  const Next next = life_.on_failure({ExitStatus::protocol, "too many redirects", true}, now_);
  EXPECT_EQ(next.kind, Next::Kind::end);
  EXPECT_EQ(next.status, ExitStatus::protocol);
}

TEST_F(LifeTest, OnlyAChangeOfStateIsNews) {
  EXPECT_FALSE(life_.on_open(now_));
  const Next first = life_.on_failure({ExitStatus::unreachable, "connection reset"}, now_);
  EXPECT_TRUE(first.news);
  EXPECT_EQ(first.message.find("connection reset, connecting again in "), 0u);
  EXPECT_FALSE(life_.on_failure(refused(), now_).news);
  EXPECT_TRUE(life_.on_open(now_));
  EXPECT_TRUE(life_.on_close(now_).news);
}

}  // namespace
}  // namespace netkit::sse
