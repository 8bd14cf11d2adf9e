#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/attempts.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

class AttemptsTest : public testing::Test {
 protected:
  AttemptsTest() {
    log_.redirect([this](std::string_view line) { said_ += line; });
  }
  void start(std::vector<std::string> servers, std::uint64_t limit = Reconnect::kForever) {
    attempts_.emplace(loop_, log_,
                      Reconnect::Options{.limit = limit, .initial = 1ms, .maximum = 1ms},
                      std::move(servers), [this] { tried_ += attempts_->server() + " "; });
    attempts_->start();
  }
  // Runs the loop until the next attempt.
  void next() {
    const auto deadline = clock_.now() + 10s;
    while (attempts_->pending() && clock_.now() < deadline) loop_.run_once(20ms);
    ASSERT_FALSE(attempts_->pending());
  }
  bool fails(std::string_view why = "refused") { return attempts_->failed(why); }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::notice};
  std::string said_;
  std::string tried_;
  std::optional<Attempts> attempts_;
};

TEST(ServerNames, AreTheAddressesAsTheyWereGiven) {
  EXPECT_EQ(server_names({AddressSpec::parse("localhost:7", AddressRole::client),
                          AddressSpec::parse("[::1]:8", AddressRole::client)}),
            (std::vector<std::string>{"localhost:7", "[::1]:8"}));
}

TEST_F(AttemptsTest, GoesThroughTheListAndStaysWithWhatConnects) {
  start({"a", "b", "c"});
  EXPECT_TRUE(fails());
  next();
  attempts_->succeeded();
  EXPECT_EQ(attempts_->server(), "b");
  EXPECT_TRUE(fails(Outage::lost("reset")));
  for (int i = 0; i < 2; ++i) {
    next();
    EXPECT_TRUE(fails());
  }
  next();
  EXPECT_EQ(tried_, "a b b a c ");
}

TEST_F(AttemptsTest, SaysEachOutageOnce) {
  start({"a"});
  attempts_->succeeded();
  EXPECT_EQ(said_, "") << "what is well needs no word";
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(attempts_->failed("refused", RetryBounds::exactly(1ms)));
    EXPECT_TRUE(attempts_->outage());
    next();
  }
  attempts_->succeeded();
  attempts_->succeeded();
  EXPECT_EQ(said_.find("a: refused; trying again in 1 ms\na: connected again after "), 0U) << said_;
  EXPECT_EQ(std::count(said_.begin(), said_.end(), '\n'), 2);
}

TEST_F(AttemptsTest, GivesUpAfterItsRoundsAndKeepsTheServer) {
  start({"a", "b"}, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(fails());
    next();
  }
  EXPECT_FALSE(fails());
  EXPECT_EQ(attempts_->server(), "b");
  EXPECT_EQ(tried_, "a b a b ");
}

TEST_F(AttemptsTest, AServerThatAnswersIsTriedAtOnceWhereTheOwnerSaysSo) {
  start({"a"});
  attempts_->succeeded();
  EXPECT_TRUE(attempts_->failed("started anew", RetryBounds::exactly(0s)));
  EXPECT_TRUE(attempts_->failed("started anew")) << "one attempt is pending";
  EXPECT_EQ(said_, "a: started anew; trying again\n");
  next();
  EXPECT_EQ(tried_, "a a ");
}

TEST_F(AttemptsTest, StopsWhenItIsTold) {
  start({"a"});
  EXPECT_TRUE(fails());
  attempts_->stop();
  for (int i = 0; i < 5; ++i) loop_.run_once(2ms);
  EXPECT_EQ(tried_, "a ");
}

}  // namespace
}  // namespace netkit
