#include <broadcast/answer_table.hpp>

#include <gtest/gtest.h>

namespace netkit::broadcast {
namespace {

using namespace std::chrono_literals;
using Verdict = AnswerTable::Verdict;

class AnswerTableTest : public testing::Test {
 protected:
  AnswerTableTest() { ask_after(0ms); }
  Verdict answers(const char* responder) { return table_.on_answer(*Endpoint::parse(responder)); }
  void ask_after(Duration pause) { table_.next_message(now_ += pause); }

  TimePoint now_ = TimePoint(1h);
  AnswerTable table_{3, 1s};
};

TEST_F(AnswerTableTest, AResponderSeenTwiceCountsOnce) {
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
  EXPECT_EQ(table_.answers(), 1U);
  EXPECT_EQ(table_.duplicates(), 1U);
}

TEST_F(AnswerTableTest, TwoPortsAreTwoResponders) {
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  EXPECT_EQ(answers("10.0.0.1:8087"), Verdict::first);
}

TEST_F(AnswerTableTest, EverybodyMayAnswerTheNextMessage) {
  answers("10.0.0.1:8086");
  ask_after(1s);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
  EXPECT_EQ(table_.answers(), 2U);
}

TEST_F(AnswerTableTest, MessagesInARowHaveAnAnswerEach) {
  ask_after(1ms);
  ask_after(1ms);
  for (int message = 0; message < 3; ++message) {
    EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  }
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
}

TEST_F(AnswerTableTest, AnswersThatAreUnderWayDoNotUseUpThoseOfTheNextRound) {
  for (int message = 1; message < 30; ++message) ask_after(100ms);
  for (int message = 0; message < 20; ++message) {  // of this round and the one before
    EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first) << message;
  }
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
}

TEST_F(AnswerTableTest, WhoWasSilentForLongMayNotMakeUpForIt) {
  ask_after(1ms);
  ask_after(1s);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
  ask_after(1ms);
  table_.close_messages();
  ask_after(1ms);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
}

TEST_F(AnswerTableTest, NobodyAnswersWhatWasNotAsked) {
  table_.close_messages();
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::duplicate);
}

TEST_F(AnswerTableTest, RespondersOverTheLimitAreCountedAndNotKept) {
  for (const char* responder : {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"}) answers(responder);
  EXPECT_EQ(answers("10.0.0.1:4"), Verdict::overflow);
  EXPECT_EQ(answers("10.0.0.1:1"), Verdict::duplicate);
  EXPECT_EQ(table_.overflow(), 1U);
}

}  // namespace
}  // namespace netkit::broadcast
