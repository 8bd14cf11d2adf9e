#include <gtest/gtest.h>

#include <netkit/net/answer_policy.hpp>

namespace netkit {
namespace {

using std::chrono::milliseconds;

Endpoint at(const char* text) {
  return Endpoint::parse(text).value();
}

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

// A server on port 8080 of 10.0.0.5/24.
class AnswerPolicyTest : public testing::Test {
 protected:
  AnswerPolicy& policy() {
    if (!policy_) {
      policy_.emplace(
          options_,
          NetworkView{[](const IpAddress& a) { return a.is_loopback() || a == ip("10.0.0.5"); },
                      [](const IpAddress& a) { return a == ip("10.0.0.255"); },
                      [](const IpAddress& a) { return Cidr(ip("10.0.0.0"), 24).contains(a); }},
          local_);
    }
    return *policy_;
  }
  AnswerPolicy::Judgement judge_message(const char* peer, std::string_view data,
                                        std::size_t segment_size = 0,
                                        const char* destination = "0.0.0.0") {
    const Endpoint from = at(peer);
    ReceivedMessage message;
    message.data = data;
    message.peer = &from;
    message.segment_size = segment_size;
    message.destination = ip(destination);
    return policy().judge(message, now_);
  }
  Refusal judge(const char* peer, const char* destination = "0.0.0.0") {
    const AnswerPolicy::Judgement judgement = judge_message(peer, "text", 0, destination);
    EXPECT_EQ(judgement.allowed, judgement.refusal == Refusal::none ? 1u : 0u);
    return judgement.refusal;
  }
  std::uint64_t refused(Refusal why) { return policy().refused()[static_cast<std::size_t>(why)]; }

  AnswerPolicy::Options options_;
  std::vector<Endpoint> local_{at("0.0.0.0:8080"), at("[::]:8080")};
  std::optional<AnswerPolicy> policy_;
  TimePoint now_{std::chrono::seconds(100)};
};

TEST_F(AnswerPolicyTest, AnswersAnHonestClient) {
  EXPECT_EQ(judge("192.0.2.1:40000"), Refusal::none);
  EXPECT_EQ(judge("10.0.0.5:40000", "10.0.0.5"), Refusal::none);
  EXPECT_EQ(judge("127.0.0.1:40000"), Refusal::none);
}

TEST_F(AnswerPolicyTest, NeverAnswersPortZero) {
  options_.any_port = true;
  EXPECT_EQ(judge("192.0.2.1:0"), Refusal::port);
}

TEST_F(AnswerPolicyTest, AnswersServicePortsOnlyWhenTold) {
  for (const bool any : {false, true}) {
    options_.any_port = any;
    policy_.reset();
    for (const char* peer :
         {"192.0.2.1:7", "192.0.2.1:13", "192.0.2.1:17", "192.0.2.1:19", "192.0.2.1:37",
          "192.0.2.1:53", "192.0.2.1:123", "192.0.2.1:1900", "192.0.2.1:11211"}) {
      EXPECT_EQ(judge(peer), any ? Refusal::none : Refusal::port) << peer;
    }
    EXPECT_EQ(judge("192.0.2.1:8"), Refusal::none);
  }
}

TEST_F(AnswerPolicyTest, NeverAnswersItself) {
  EXPECT_EQ(judge("10.0.0.5:8080"), Refusal::own);
  EXPECT_EQ(judge("127.0.0.1:8080"), Refusal::own);
  EXPECT_EQ(judge("[::1]:8080"), Refusal::own);
  EXPECT_EQ(judge("192.0.2.1:8080"), Refusal::none);
}

TEST_F(AnswerPolicyTest, NeverAnswersTheAddressItIsBoundTo) {
  local_ = {at("192.0.2.9:8080")};
  EXPECT_EQ(judge("192.0.2.9:8080"), Refusal::own);
  EXPECT_EQ(judge("192.0.2.8:8080"), Refusal::none);
}

TEST_F(AnswerPolicyTest, NeverAnswersASourceThatIsNoHost) {
  for (const char* peer : {"255.255.255.255:9", "224.0.0.1:9", "10.0.0.255:9", "[ff02::1]:9",
                           "127.255.255.255:9", "0.0.0.0:9", "[::]:9"}) {
    EXPECT_EQ(judge(peer), Refusal::broadcast) << peer;
  }
}

TEST_F(AnswerPolicyTest, AnswersWhatWentToASharedDestinationOnlyWhenTold) {
  for (const bool answers : {false, true}) {
    options_.answers_broadcasts = answers;
    policy_.reset();
    for (const char* destination : {"255.255.255.255", "239.1.1.1", "10.0.0.255", "ff02::1"}) {
      EXPECT_EQ(judge("192.0.2.1:9", destination), answers ? Refusal::none : Refusal::broadcast)
          << destination;
    }
    EXPECT_EQ(judge("10.0.0.255:9"), Refusal::broadcast);
  }
}

TEST_F(AnswerPolicyTest, AsksTheAccessList) {
  options_.access = AccessList({}, {"192.0.2.0/24"});
  EXPECT_EQ(judge("192.0.2.1:9"), Refusal::denied);
  EXPECT_EQ(judge("192.0.3.1:9"), Refusal::none);
}

TEST_F(AnswerPolicyTest, LetsThroughWhatTheRateAllows) {
  options_.rate = 3;
  const AnswerPolicy::Judgement first = judge_message("192.0.2.1:9", "aabbccddee", 2);
  EXPECT_EQ(first.allowed, 3u);
  EXPECT_EQ(first.refusal, Refusal::rate);
  EXPECT_EQ(judge("192.0.2.1:9"), Refusal::rate);
  EXPECT_EQ(judge("192.0.2.2:9"), Refusal::none);
  EXPECT_EQ(refused(Refusal::rate), 3u);
  now_ += milliseconds(700);
  EXPECT_EQ(judge_message("192.0.2.1:9", "aabbccddee", 2).allowed, 2u);
}

TEST_F(AnswerPolicyTest, HasNoRateUntilToldOne) {
  EXPECT_EQ(judge_message("192.0.2.1:9", std::string(65'000, 'x'), 1).allowed, 65'000u);
}

TEST_F(AnswerPolicyTest, ProbesASourceThatSendsItsAnswersBack) {
  options_.loops = AnswerPolicy::Loops::same_answer;
  const std::string same(1001, 'x');
  EXPECT_FALSE(judge_message("192.0.2.1:9", "xx", 1).probe);
  EXPECT_TRUE(judge_message("192.0.2.1:9", same, 1).probe);
  EXPECT_TRUE(policy().on_probe_answer(at("192.0.2.1:9"), now_));
  EXPECT_EQ(judge("192.0.2.1:9"), Refusal::loop);
  EXPECT_EQ(judge("192.0.2.2:9"), Refusal::none);
  EXPECT_EQ(policy().loops(), 1u);
}

TEST_F(AnswerPolicyTest, LooksForLoopsOnlyWhenTold) {
  EXPECT_FALSE(judge_message("192.0.2.1:9", std::string(5000, 'x'), 1).probe);
  EXPECT_FALSE(policy().on_probe_answer(at("192.0.2.1:9"), now_));
}

TEST_F(AnswerPolicyTest, SaysWhoMaySpeakThePlainDialect) {
  EXPECT_TRUE(policy().permits_plain(at("192.0.2.1:9")));
  options_.plain = AnswerPolicy::Plain::local;
  policy_.reset();
  EXPECT_TRUE(policy().permits_plain(at("10.0.0.77:9")));
  EXPECT_FALSE(policy().permits_plain(at("192.0.2.1:9")));
  options_.plain = AnswerPolicy::Plain::none;
  policy_.reset();
  EXPECT_FALSE(policy().permits_plain(at("10.0.0.77:9")));
}

TEST_F(AnswerPolicyTest, CountsByReason) {
  options_.access = AccessList({}, {"192.0.2.0/24"});
  judge("192.0.2.1:0");
  judge("192.0.2.1:9");
  judge_message("192.0.2.1:9", "aabbc", 2);
  EXPECT_EQ(refused(Refusal::port), 1u);
  EXPECT_EQ(refused(Refusal::denied), 4u);
  EXPECT_EQ(refused(Refusal::none), 0u);
}

TEST(RefusalTest, NamesTheTotalThatCountsIt) {
  EXPECT_EQ(total_name(Refusal::port), "dropped_port");
  EXPECT_EQ(total_name(Refusal::loop), "dropped_loop");
}

}  // namespace
}  // namespace netkit
