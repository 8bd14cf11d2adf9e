#include <echo/answer_policy.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

Endpoint at(const char* text) {
  return Endpoint::parse(text).value();
}

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

class AnswerPolicyTest : public testing::Test {
 protected:
  AnswerPolicy make(const char* local) {
    return AnswerPolicy(options_,
                        {[](const IpAddress& a) { return a.is_loopback() || a == ip("10.0.0.5"); },
                         [](const IpAddress& a) { return a == ip("10.0.0.255"); }},
                        at(local));
  }
  Refusal judge(const char* peer, const char* destination = "0.0.0.0") {
    return make("0.0.0.0:8080").judge(at(peer), ip(destination));
  }
  AnswerPolicy::Options options_;
};

TEST_F(AnswerPolicyTest, AnswersAnHonestClient) {
  EXPECT_EQ(judge("192.0.2.1:40000"), Refusal::none);
  EXPECT_EQ(judge("10.0.0.5:40000", "10.0.0.5"), Refusal::none);
}

TEST_F(AnswerPolicyTest, NeverAnswersPortZero) {
  options_.any_port = true;
  EXPECT_EQ(judge("192.0.2.1:0"), Refusal::port);
}

TEST_F(AnswerPolicyTest, AnswersServicePortsOnlyWhenTold) {
  for (const char* peer :
       {"192.0.2.1:7", "192.0.2.1:13", "192.0.2.1:17", "192.0.2.1:19", "192.0.2.1:37",
        "192.0.2.1:53", "192.0.2.1:123", "192.0.2.1:1900", "192.0.2.1:11211"}) {
    options_.any_port = false;
    EXPECT_EQ(judge(peer), Refusal::port) << peer;
    options_.any_port = true;
    EXPECT_EQ(judge(peer), Refusal::none) << peer;
  }
  EXPECT_EQ(judge("192.0.2.1:8"), Refusal::none);
}

TEST_F(AnswerPolicyTest, NeverAnswersItself) {
  EXPECT_EQ(judge("10.0.0.5:8080"), Refusal::own);
  EXPECT_EQ(judge("127.0.0.1:8080"), Refusal::own);
  EXPECT_EQ(judge("192.0.2.1:8080"), Refusal::none);
  EXPECT_EQ(make("192.0.2.9:8080").judge(at("192.0.2.9:8080"), ip("0.0.0.0")), Refusal::own);
}

TEST_F(AnswerPolicyTest, NeverAnswersASharedSource) {
  for (const char* peer :
       {"255.255.255.255:9", "224.0.0.1:9", "10.0.0.255:9", "[ff02::1]:9", "127.255.255.255:9"}) {
    EXPECT_EQ(judge(peer), Refusal::broadcast) << peer;
  }
}

TEST_F(AnswerPolicyTest, NeverAnswersWhatWentToASharedDestination) {
  for (const char* destination : {"255.255.255.255", "239.1.1.1", "10.0.0.255", "ff02::1"}) {
    EXPECT_EQ(judge("192.0.2.1:9", destination), Refusal::broadcast) << destination;
  }
}

TEST_F(AnswerPolicyTest, AsksTheAccessList) {
  options_.access = AccessList({}, {"192.0.2.0/24"});
  EXPECT_EQ(judge("192.0.2.1:9"), Refusal::denied);
  EXPECT_EQ(judge("192.0.3.1:9"), Refusal::none);
}

TEST_F(AnswerPolicyTest, LetsThroughWhatTheRateAllows) {
  options_.rate.per_second = 10;
  AnswerPolicy policy = make("0.0.0.0:8080");
  const TimePoint now{std::chrono::seconds(100)};
  EXPECT_EQ(policy.within_rate(ip("192.0.2.1"), 64, now), 10u);
  EXPECT_EQ(policy.within_rate(ip("192.0.2.1"), 1, now), 0u);
  EXPECT_EQ(policy.within_rate(ip("192.0.2.2"), 1, now), 1u);
  EXPECT_EQ(policy.within_rate(ip("192.0.2.1"), 9, now + std::chrono::milliseconds(500)), 5u);
}

TEST_F(AnswerPolicyTest, HasNoRateUntilToldOne) {
  EXPECT_EQ(make("0.0.0.0:8080").within_rate(ip("192.0.2.1"), 1'000'000, TimePoint{}), 1'000'000u);
}

}  // namespace
}  // namespace netkit::echo
