#include <algorithm>
#include <chrono>
#include <sse/stream_life.hpp>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <netkit/util/random.hpp>

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

TEST(Judge, KnowsTheTypesOfJsonStreams) {
  EXPECT_EQ(stream_format("text/event-stream"), StreamFormat::events);
  EXPECT_EQ(stream_format("Application/X-NDJSON; charset=utf-8"), StreamFormat::json_lines);
  EXPECT_EQ(stream_format("application/jsonl"), StreamFormat::json_lines);
  EXPECT_EQ(stream_format("application/json-seq"), StreamFormat::json_sequence);
  EXPECT_EQ(stream_format("application/json"), std::nullopt);
  EXPECT_EQ(judge(200, "application/jsonl"), Answer::stream);
}

TEST(Judge, TakesAnyMediaTypeWhereItIsToldTo) {
  EXPECT_EQ(judge(200, "application/json", true), Answer::stream);
  EXPECT_EQ(judge(200, "", true), Answer::stream);
  EXPECT_EQ(judge(204, "", true), Answer::nothing);
  EXPECT_EQ(judge(404, "", true), Answer::refused);
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

TEST(AnyFormat, IsLinesWhereTheBodyIsJson) {
  EXPECT_EQ(any_format("application/json;stream=watch"), StreamFormat::json_lines);
  EXPECT_EQ(any_format("application/vnd.example+JSON"), StreamFormat::json_lines);
  EXPECT_EQ(any_format("application/json-seq"), StreamFormat::json_sequence);
  EXPECT_EQ(any_format("text/event-stream"), StreamFormat::events);
  for (const char* other : {"", "json", "text/plain", "text/json5"}) {
    EXPECT_EQ(any_format(other), StreamFormat::events) << other;
  }
}

// A stream under netkit's reconnect policy: the waits that come out.
class LifeTest : public testing::Test {
 protected:
  Duration wait(Duration retry_after = {}) {
    return reconnect_.next(now_, random_.unit(), life_.on_end(retry_after)).value();
  }
  Duration closed_after_event() {
    life_.on_open();
    life_.on_event();
    return wait();
  }

  TimePoint now_{1h};
  RandomEngine random_{1};
  Reconnect reconnect_{{.limit = Reconnect::kForever, .maximum = 30s}};
  StreamLife life_{1s, 30s};
};

TEST_F(LifeTest, ComesBackAfterTheReconnectionTime) {
  EXPECT_EQ(closed_after_event(), 1s);
}

TEST_F(LifeTest, TakesTheServersReconnectionTime) {
  life_.on_open();
  life_.on_event();
  life_.on_retry(250ms);
  EXPECT_EQ(wait(), 250ms);
  EXPECT_EQ(closed_after_event(), 250ms);
}

TEST_F(LifeTest, ClampsTheReconnectionTime) {
  life_.on_retry(1h);
  EXPECT_EQ(closed_after_event(), 30s);
  life_.on_retry(0ms);
  EXPECT_EQ(closed_after_event(), 100ms);
}

TEST_F(LifeTest, TheUserMaySetAShorterReconnectionTime) {
  life_ = StreamLife(20ms, 30s);
  EXPECT_EQ(closed_after_event(), 20ms);
  life_.on_retry(0ms);
  EXPECT_EQ(life_.retry(), 20ms);
}

TEST_F(LifeTest, StreamsWithoutEventsBackOff) {
  Duration longest{};
  for (int i = 0; i < 30; ++i) {
    life_.on_open();
    const Duration delay = wait();
    EXPECT_GE(delay, 1s);
    longest = std::max(longest, delay);
  }
  EXPECT_GT(longest, 10s);
  EXPECT_LE(longest, 30s);
}

TEST_F(LifeTest, FailuresBackOffWithJitterAndWithoutABusyLoop) {
  Duration ceiling = 100ms;
  for (int i = 0; i < 30; ++i) {
    const Duration delay = wait();
    EXPECT_GE(delay, 100ms);
    EXPECT_LE(delay, ceiling);
    ceiling = std::min<Duration>(2 * ceiling, 30s);
  }
}

TEST_F(LifeTest, FailuresWaitAtLeastWhatTheServerAskedFor) {
  life_.on_retry(5s);
  closed_after_event();
  EXPECT_GE(wait(), 5s);
}

TEST_F(LifeTest, HonoursRetryAfter) {
  EXPECT_EQ(wait(7s), 7s);
  EXPECT_EQ(wait(90s), 90s);
  EXPECT_EQ(wait(std::chrono::hours(1000)), 24h);
}

TEST(StreamRejection, NoContentEndsWellAndSilently) {
  const Failure failure = failure_of({204, "", ""});
  EXPECT_TRUE(failure.permanent);
  EXPECT_EQ(failure.status, ExitStatus::done);
  EXPECT_EQ(failure.message, "");
}

TEST(StreamRejection, OtherStatusesEndAndShowTheBody) {
  const Failure failure = failure_of({404, "text/html", "<p>no\x1b[2J such\n"});
  EXPECT_TRUE(failure.permanent);
  EXPECT_EQ(failure.status, ExitStatus::protocol);
  EXPECT_EQ(failure.message, "the server answered 404 with text/html: <p>no\\x1b[2J such");
}

TEST(StreamRejection, WhoWantsALoginIsToldByWhichOption) {
  for (const auto& [status, option] : {std::pair(401, "--password-file"), std::pair(403, "--user"),
                                       std::pair(407, "NETKIT_SSE_PROXY")}) {
    const Failure failure = failure_of({status, "", ""});
    EXPECT_TRUE(failure.permanent);
    EXPECT_EQ(failure.status, ExitStatus::permission);
    EXPECT_NE(failure.message.find(option), std::string::npos) << failure.message;
  }
}

TEST(StreamRejection, AnotherMediaTypeEnds) {
  EXPECT_EQ(failure_of({200, "application/json", "{}"}).message,
            "the server answered 200 with application/json instead of text/event-stream: {}");
  EXPECT_EQ(failure_of({200, "", ""}).message,
            "the server answered 200 without a media type instead of text/event-stream");
}

TEST(StreamRejection, BusyServersAreAskedAgain) {
  for (const int status : {429, 500, 502, 503}) {
    EXPECT_FALSE(failure_of({status, "text/plain", "busy"}).permanent);
    EXPECT_EQ(failure_of({status, "text/plain", "busy"}).status, ExitStatus::unreachable);
  }
}

}  // namespace
}  // namespace netkit::sse
