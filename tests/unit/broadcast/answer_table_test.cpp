#include <broadcast/answer_table.hpp>

#include <gtest/gtest.h>

namespace netkit::broadcast {
namespace {

using Verdict = AnswerTable::Verdict;

class AnswerTableTest : public testing::Test {
 protected:
  Verdict answers(const char* responder) { return table_.on_answer(*Endpoint::parse(responder)); }
  AnswerTable table_{3};
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
  table_.next_message();
  EXPECT_EQ(answers("10.0.0.1:8086"), Verdict::first);
  EXPECT_EQ(table_.answers(), 2U);
}

TEST_F(AnswerTableTest, RespondersOverTheLimitAreCountedAndNotKept) {
  for (const char* responder : {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"}) answers(responder);
  EXPECT_EQ(answers("10.0.0.1:4"), Verdict::overflow);
  EXPECT_EQ(answers("10.0.0.1:1"), Verdict::duplicate);
  EXPECT_EQ(table_.overflow(), 1U);
}

}  // namespace
}  // namespace netkit::broadcast
