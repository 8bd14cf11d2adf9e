#include <echo/reply_matcher.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

using Match = ReplyMatcher::Match;

class ReplyMatcherTest : public testing::Test {
 protected:
  void send(const char* message) { matcher_.on_sent(message); }
  void send_in_vain(const char* message) {
    matcher_.on_sent(message);
    matcher_.on_overdue();
  }
  ReplyMatcher matcher_;
};

TEST_F(ReplyMatcherTest, TakesAnEcho) {
  send("one");
  EXPECT_TRUE(matcher_.waiting());
  EXPECT_EQ(matcher_.on_reply("one"), Match::current);
  EXPECT_FALSE(matcher_.waiting());
}

TEST_F(ReplyMatcherTest, TakesWhateverAServerSays) {
  send("one");
  EXPECT_EQ(matcher_.on_reply("pong"), Match::current);
}

TEST_F(ReplyMatcherTest, TellsALateEchoFromTheNextReply) {
  send_in_vain("one");
  send("two");
  EXPECT_EQ(matcher_.on_reply("one"), Match::late);
  EXPECT_TRUE(matcher_.waiting());
  EXPECT_EQ(matcher_.on_reply("two"), Match::current);
}

TEST_F(ReplyMatcherTest, TellsALateReplyByTheTextInIt) {
  send_in_vain("one");
  send("two");
  EXPECT_EQ(matcher_.on_reply("ack: one"), Match::late);
  EXPECT_EQ(matcher_.on_reply("ack: two"), Match::current);
}

TEST_F(ReplyMatcherTest, PrefersTheMessageThatIsOut) {
  send_in_vain("1");
  send("11");
  EXPECT_EQ(matcher_.on_reply("ack: 11"), Match::current);
}

TEST_F(ReplyMatcherTest, AnExactEchoOfAnOverdueMessageIsLateThoughItHoldsTheCurrentOne) {
  send_in_vain("11");
  send("1");
  EXPECT_EQ(matcher_.on_reply("11"), Match::late);
  EXPECT_EQ(matcher_.on_reply("1"), Match::current);
}

TEST_F(ReplyMatcherTest, WaitsForEachLateReplyOnce) {
  send_in_vain("same");
  send("same");
  EXPECT_EQ(matcher_.on_reply("same"), Match::current);
  EXPECT_EQ(matcher_.on_reply("same"), Match::late);
  EXPECT_EQ(matcher_.on_reply("same"), Match::none);
}

TEST_F(ReplyMatcherTest, AnEmptyMessageIsAnsweredByAnEmptyReply) {
  send_in_vain("");
  send("two");
  EXPECT_EQ(matcher_.on_reply("two"), Match::current);
  send("");
  EXPECT_EQ(matcher_.on_reply(""), Match::current);
}

TEST(ReplyCounterTest, TakesAsManyBytesAsWereSentInWhateverPieces) {
  for (std::size_t split = 0; split <= 5; ++split) {
    ReplyCounter counter;
    counter.on_sent(5);
    const std::string reply = "hello";
    std::string_view first = std::string_view(reply).substr(0, split);
    std::string_view second = std::string_view(reply).substr(split);
    std::string taken(counter.take(first));
    taken += counter.take(second);
    EXPECT_EQ(taken, "hello");
    EXPECT_FALSE(counter.waiting());
  }
}

TEST(ReplyCounterTest, PassesOverWhatIsOverdue) {
  ReplyCounter counter;
  counter.on_sent(3);
  std::string_view part = "o";
  EXPECT_EQ(counter.take(part), "o");
  counter.on_overdue();
  counter.on_sent(3);
  std::string_view rest = "netwo";
  EXPECT_EQ(counter.take(rest), "two");
}

TEST(ReplyCounterTest, LeavesWhatWasNotAskedFor) {
  ReplyCounter counter;
  counter.on_sent(3);
  std::string_view data = "one and more";
  EXPECT_EQ(counter.take(data), "one");
  EXPECT_EQ(data, " and more");
}

}  // namespace
}  // namespace netkit::echo
