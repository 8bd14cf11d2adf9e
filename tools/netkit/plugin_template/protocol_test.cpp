#include "protocol.hpp"

#include <gtest/gtest.h>

namespace skeleton_plugin {
namespace {

TEST(Protocol, AnswersAQuestionInCapitals) {
  EXPECT_EQ(answer_to(make_question("hello, 1")), "=HELLO, 1");
}

TEST(Protocol, AnswersAnEmptyQuestion) {
  EXPECT_EQ(answer_to("?"), "=");
}

TEST(Protocol, AnswersNothingElse) {
  EXPECT_EQ(answer_to(""), std::nullopt);
  EXPECT_EQ(answer_to("hello"), std::nullopt);
  EXPECT_EQ(answer_to(*answer_to("?hello")), std::nullopt) << "two servers would go on for ever";
}

TEST(Protocol, ReadsAnAnswer) {
  EXPECT_EQ(answer_text("=HELLO"), "HELLO");
  EXPECT_EQ(answer_text("?hello"), std::nullopt);
}

}  // namespace
}  // namespace skeleton_plugin
