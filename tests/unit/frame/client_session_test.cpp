#include <frame/client_session.hpp>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {
namespace {

using std::chrono::seconds;
using Status = ClientSession::Status;
using Events = std::vector<std::string>;

const std::string kRegistration = std::string(1, '\0') + std::string(51, 'r');

class ClientSessionTest : public testing::Test {
 protected:
  static TimePoint at(int second) { return TimePoint(seconds(second)); }
  void start(ClientOptions options) { session_ = ClientSession(std::move(options)); }
  void start_registering() { start({.registration = kRegistration}); }
  // The contents that go out now, a space after each, in hexadecimal.
  std::string sent() {
    std::string text;
    FrameDecoder decoder{CodecSpec(), 1U << 20U};
    decoder.feed(session_.output(), [&](const FrameView& frame) {
      text += (frame.content == kRegistration ? "register" : encode_hex(frame.content)) + " ";
    });
    session_.output().clear();
    return text;
  }
  static std::string show(const ClientEvent& event) {
    static const char* const kNames[] = {"registered", "refused",  "answer",
                                         "heartbeat",  "repeated", "unexpected"};
    std::string text = kNames[static_cast<int>(event.kind)];
    if (event.number != 0) text += " " + std::to_string(event.number);
    text += " " + std::to_string(event.id) + "/" + std::to_string(event.error);
    return event.body.empty() ? text : text + " " + std::string(event.body);
  }
  // Contents in hexadecimal come in, one frame each.
  Events receive(const std::vector<std::string>& contents) {
    std::string wire;
    for (const std::string& content : contents) {
      FrameEncoder(CodecSpec()).append(wire, decode_hex(content).value());
    }
    Events events;
    status_ = session_.on_data(wire, [&](const ClientEvent& e) { events.push_back(show(e)); });
    return events;
  }
  void push(std::string_view hex) { session_.push(decode_hex(hex).value()); }

  ClientSession session_{ClientOptions{}};
  Status status_ = Status::ok;
};

TEST_F(ClientSessionTest, RequestsWaitForTheRegistration) {
  start_registering();
  push("02");
  session_.on_connected(at(0));
  EXPECT_EQ(sent(), "register ");
  push("0761");
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(receive({"0000"}), Events{"registered 0/0"});
  EXPECT_EQ(sent(), "02 0761 ");
  push("0762");
  EXPECT_EQ(sent(), "0762 ");
}

TEST_F(ClientSessionTest, ARefusedRegistrationEndsIt) {
  start_registering();
  session_.on_connected(at(0));
  EXPECT_EQ(receive({"00ff", "0200"}), Events{"refused 0/-1"});
  EXPECT_EQ(status_, Status::refused);
}

TEST_F(ClientSessionTest, AnswersAreMatchedInOrderById) {
  session_.on_connected(at(0));
  for (const char* request : {"0761", "02", "0762", "0861"}) push(request);
  EXPECT_EQ(receive({"080038", "070041", "07ff", "020054"}),
            (Events{"answer 4 8/0 8", "answer 1 7/0 A", "answer 3 7/-1", "answer 2 2/0 T"}));
  EXPECT_EQ(session_.unanswered(), 0U);
}

TEST_F(ClientSessionTest, AnswersThatNobodyWaitsForAreSaid) {
  session_.on_connected(at(0));
  push("07");
  push("08");
  EXPECT_EQ(receive({"0700", "0700", "0900"}),
            (Events{"answer 1 7/0", "repeated 7/0", "unexpected 9/0"}));
  EXPECT_EQ(session_.in_flight(), 1U);
  const ClientEvent late{.kind = ClientEvent::Kind::repeated, .id = 7};
  EXPECT_EQ(unmatched_text(late, 1),
            "answer 7 is late or a duplicate: 1 request is waiting for another answer");
}

TEST_F(ClientSessionTest, WhatHasNoAnswerIsSentAgainInOrder) {
  session_.on_connected(at(0));
  for (const char* request : {"0761", "0861", "0762"}) push(request);
  sent();
  receive({"0800"});
  EXPECT_EQ(session_.on_disconnected(), 2U);
  push("02");
  EXPECT_EQ(sent(), "");
  session_.on_connected(at(9));
  EXPECT_EQ(sent(), "0761 0762 02 ");
  EXPECT_EQ(receive({"0700", "0700", "0200"}),
            (Events{"answer 1 7/0", "answer 3 7/0", "answer 4 2/0"}));
}

TEST_F(ClientSessionTest, RegistersAnewAfterEveryConnect) {
  start_registering();
  push("02");
  for (int i = 0; i < 3; ++i) {
    session_.on_connected(at(i));
    EXPECT_EQ(sent(), "register ");
    receive({"0000"});
    EXPECT_EQ(sent(), "02 ");
    EXPECT_EQ(session_.on_disconnected(), 1U);
  }
}

TEST_F(ClientSessionTest, AHalfFrameDoesNotOutliveItsConnection) {
  session_.on_connected(at(0));
  session_.on_data(std::string("\0\0\0\5\1", 5), [](const ClientEvent&) { FAIL(); });
  EXPECT_EQ(session_.pending(), 5U);
  session_.on_disconnected();
  session_.on_connected(at(1));
  push("07");
  EXPECT_EQ(receive({"0700"}), Events{"answer 1 7/0"});
}

TEST_F(ClientSessionTest, TheEndOfAConnectionEndsAnAnswerThatNeedsNoMore) {
  start({.codec = CodecSpec::parse("line")});
  session_.on_connected(at(0));
  push("61");
  Events events;
  std::size_t rest = 1;
  const auto keep = [&](const ClientEvent& event) { events.push_back(show(event)); };
  session_.on_data("no line feed", keep);
  EXPECT_EQ(session_.on_end(rest, keep), Status::ok);
  EXPECT_EQ(rest, 0U);
  EXPECT_EQ(events, Events{"answer 1 0/0 no line feed"});
}

TEST_F(ClientSessionTest, GivesUpTheOldestThatWasSentAndKeepsTheOrder) {
  session_.on_connected(at(0));
  EXPECT_FALSE(session_.give_up_oldest());
  session_.on_deadline(at(3));  // a heartbeat of its own, whose id the user has as well
  for (const char* request : {"01", "0761", "01"}) push(request);
  EXPECT_TRUE(session_.give_up_oldest());
  EXPECT_EQ(receive({"0100", "0100"}), (Events{"heartbeat 1/0", "answer 3 1/0"}));
  EXPECT_TRUE(session_.give_up_oldest());
  EXPECT_EQ(session_.given_up(), 2U);
  EXPECT_EQ(session_.unanswered(), 0U);
  session_.on_disconnected();
  push("0762");
  EXPECT_FALSE(session_.give_up_oldest()) << "it was not sent";
  session_.on_connected(at(9));
  sent();
  EXPECT_EQ(receive({"0700"}), Events{"answer 4 7/0"});
}

TEST_F(ClientSessionTest, HeartbeatsGoOutFromTheConnectOn) {
  start_registering();
  EXPECT_EQ(session_.next_deadline(), TimePoint::max());
  session_.on_connected(at(10));
  sent();
  EXPECT_EQ(session_.next_deadline(), at(13));
  EXPECT_TRUE(session_.on_deadline(at(12)));
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(session_.on_deadline(at(13)));
  EXPECT_EQ(sent(), "01 ");
  EXPECT_EQ(session_.next_deadline(), at(16));
  EXPECT_EQ(receive({"0000", "0100"}), (Events{"registered 0/0", "heartbeat 1/0"}));
}

TEST_F(ClientSessionTest, AfterTheMissesThePeerIsTakenForDead) {
  session_.on_connected(at(0));
  EXPECT_TRUE(session_.on_deadline(at(3)));
  EXPECT_TRUE(session_.on_deadline(at(6)));
  EXPECT_TRUE(session_.on_deadline(at(9)));
  EXPECT_FALSE(session_.on_deadline(at(12)));
  EXPECT_EQ(session_.missed(), 3U);
}

TEST_F(ClientSessionTest, AnyFrameCountsAsLife) {
  session_.on_connected(at(0));
  for (int i = 1; i < 300; ++i) {
    ASSERT_TRUE(session_.on_deadline(at(3 * i)));
    EXPECT_EQ(receive({"0900"}), Events{"unexpected 9/0"});
  }
  EXPECT_EQ(receive(std::vector<std::string>(300, "0100")).back(), "repeated 1/0");
}

TEST_F(ClientSessionTest, ALongSleepIsOneMiss) {
  session_.on_connected(at(0));
  session_.on_deadline(at(3));
  EXPECT_TRUE(session_.on_deadline(at(1000)));
  EXPECT_EQ(session_.next_deadline(), at(1003));
}

TEST_F(ClientSessionTest, TheUsersHeartbeatIsARequest) {
  session_.on_connected(at(0));
  session_.on_deadline(at(3));
  push("01");
  EXPECT_EQ(receive({"0100", "0100"}), (Events{"heartbeat 1/0", "answer 1 1/0"}));
}

TEST_F(ClientSessionTest, EndsWhenTheInputHasAndAllIsAnswered) {
  start_registering();
  session_.end_input();
  EXPECT_FALSE(session_.finished());
  session_.on_connected(at(0));
  EXPECT_FALSE(session_.finished());
  receive({"0000"});
  EXPECT_TRUE(session_.finished());
}

TEST_F(ClientSessionTest, WithARequestOrKeepOpenItGoesOn) {
  session_.on_connected(at(0));
  push("02");
  session_.end_input();
  EXPECT_FALSE(session_.finished());
  receive({"0200"});
  EXPECT_TRUE(session_.finished());
  start({.keep_open = true});
  session_.on_connected(at(0));
  session_.end_input();
  EXPECT_FALSE(session_.finished());
}

TEST_F(ClientSessionTest, BadFramesCloseTheConnection) {
  session_.on_connected(at(0));
  receive({"07"});
  EXPECT_EQ(status_, Status::short_frame);
  session_.on_connected(at(1));
  const auto ignore = [](const ClientEvent&) {};
  EXPECT_EQ(session_.on_data("\xff\xff\xff\xff", ignore), Status::bad_frame);
  EXPECT_EQ(session_.frame_error().fault, FrameFault::too_long);
}

TEST_F(ClientSessionTest, TakesNoMoreThanItsLimits) {
  start({.max_requests = 2});
  push("07");
  push("07");
  EXPECT_FALSE(session_.has_room());
  EXPECT_TRUE(session_.push("x").full);
  session_.on_connected(at(0));
  receive({"0700"});
  EXPECT_TRUE(session_.has_room());
  start({.max_request_bytes = 10});
  push("070000000000");
  EXPECT_FALSE(session_.has_room());
}

TEST_F(ClientSessionTest, WhatTheCodecCannotHoldIsNotTaken) {
  start({.codec = CodecSpec::parse("u8")});
  EXPECT_EQ(session_.push(std::string(256, 'x')).error.fault, FrameFault::width);
  EXPECT_EQ(session_.unanswered(), 0U);
}

TEST_F(ClientSessionTest, OtherCodecsMatchInOrderAndHaveNoHeartbeat) {
  start({.codec = CodecSpec::parse("u16")});
  session_.on_connected(at(0));
  EXPECT_EQ(session_.next_deadline(), TimePoint::max());
  session_.push("query");
  EXPECT_EQ(session_.output(), std::string("\0\5query", 7));
  Events events;
  session_.on_data(std::string("\0\6answer", 8),
                   [&](const ClientEvent& e) { events.push_back(show(e)); });
  EXPECT_EQ(events, Events{"answer 1 0/0 answer"});
  EXPECT_THROW(start({.codec = CodecSpec::parse("u16"), .registration = "x"}), UsageError);
}

TEST_F(ClientSessionTest, ReportsWhatHasNoAnswerAtTheEnd) {
  session_.on_connected(at(0));
  push("0761");
  push("02");
  receive({"0700"});
  Events left;
  session_.for_each_unanswered([&](std::uint64_t number, std::int8_t id, bool was_sent) {
    left.push_back(std::to_string(number) + " " + id_name(id) + (was_sent ? " sent" : ""));
  });
  EXPECT_EQ(left, Events{"2 datetime sent"});
}

TEST_F(ClientSessionTest, AnUnansweredRequestDoesNotHoldUpTheOthers) {
  session_.on_connected(at(0));
  push("07");
  for (int i = 0; i < 100000; ++i) {
    push("0861");
    sent();
    receive({"0800"});
  }
  EXPECT_EQ(session_.unanswered(), 1U);
}

}  // namespace
}  // namespace netkit::frame
