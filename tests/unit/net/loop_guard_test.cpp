#include <deque>
#include <string>

#include <gtest/gtest.h>

#include <netkit/net/loop_guard.hpp>

namespace netkit {
namespace {

using Verdict = LoopGuard::Verdict;
using std::chrono::microseconds;
using std::chrono::seconds;

class LoopGuardTest : public testing::Test {
 protected:
  static Endpoint peer(std::uint16_t port) {
    return Endpoint(IpAddress::loopback(IpAddress::Family::v4), port);
  }

  Verdict receive(const std::string& text, std::uint16_t port = 9001, std::size_t count = 1) {
    now_ += microseconds(20);
    return guard_.on_datagram(peer(port), text, count, now_);
  }

  // Two servers with `circulating` datagrams between them; the other one answers probes as well
  // where `answers_probes`. Returns how many datagrams came until it fell silent, or `limit`.
  std::size_t run_loop(std::size_t circulating, bool answers_probes, std::size_t limit = 20'000) {
    std::deque<std::string> under_way;
    for (std::size_t i = 0; i < circulating; ++i)
      under_way.push_back("forged " + std::to_string(i));
    std::size_t received = 0;
    while (!under_way.empty() && received < limit) {
      const std::string text = under_way.front();
      under_way.pop_front();
      ++received;
      const Verdict verdict = receive(text);
      if (verdict == Verdict::drop) continue;
      if (verdict == Verdict::probe && answers_probes) guard_.on_probe_answer(peer(9001), now_);
      under_way.push_back(answer(text));
    }
    return received;
  }

  std::string answer(const std::string& text) const {
    return options_.any_content ? "ack: " + text.substr(0, 1000) : text;
  }

  void use(LoopGuard::Options options) {
    options_ = options;
    guard_ = LoopGuard(options);
  }

  LoopGuard::Options options_;
  LoopGuard guard_{options_};
  TimePoint now_{seconds(1000)};
};

TEST_F(LoopGuardTest, StopsOneDatagramThatGoesRound) {
  EXPECT_LT(run_loop(1, true), 2'500u);
  EXPECT_EQ(guard_.loops(), 1u);
}

TEST_F(LoopGuardTest, StopsManyDatagramsThatGoRound) {
  EXPECT_LT(run_loop(500, true), 2'500u);
}

TEST_F(LoopGuardTest, StopsALoopOfRepliesThatGrow) {
  options_.any_content = true;
  use(options_);
  EXPECT_LT(run_loop(3, true), 2'500u);
}

TEST_F(LoopGuardTest, NeverWithholdsAnAnswerFromAClientThatOnlyLooksLikeALoop) {
  EXPECT_EQ(run_loop(4, false), 20'000u);
  EXPECT_EQ(guard_.loops(), 0u);
}

TEST_F(LoopGuardTest, DoesNotEvenProbeAClientWhosePayloadsDiffer) {
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_EQ(receive("message " + std::to_string(i)), Verdict::answer);
  }
}

TEST_F(LoopGuardTest, DoesNotProbeAClientWithPauses) {
  for (int i = 0; i < 5'000; ++i) {
    now_ += seconds(6);
    ASSERT_EQ(receive("tick"), Verdict::answer);
  }
}

TEST_F(LoopGuardTest, ProbesLessAndLessOften) {
  int probes = 0;
  for (int i = 0; i < 100'000; ++i) probes += receive("same") == Verdict::probe ? 1 : 0;
  EXPECT_EQ(probes, 7);
}

TEST_F(LoopGuardTest, CountsTheDatagramsOfASuperPacket) {
  receive("same");
  EXPECT_EQ(receive("same", 9001, 999), Verdict::answer);
  EXPECT_EQ(receive("same", 9001, 1), Verdict::probe);
}

TEST_F(LoopGuardTest, TellsPeersApart) {
  for (int i = 0; i < 1'500; ++i) receive("same", 9001);
  guard_.on_probe_answer(peer(9001), now_);
  EXPECT_EQ(receive("same", 9001), Verdict::drop);
  EXPECT_EQ(receive("same", 9002), Verdict::answer);
}

TEST_F(LoopGuardTest, BelievesOnlyAPeerThatWasProbedLately) {
  EXPECT_FALSE(guard_.on_probe_answer(peer(9001), now_));
  for (int i = 0; i < 500; ++i) receive("same");
  EXPECT_FALSE(guard_.on_probe_answer(peer(9001), now_));
  for (int i = 0; i < 600; ++i) receive("same");
  EXPECT_TRUE(guard_.probes_pending(now_));
  now_ += LoopGuard::kProbeWait + seconds(1);
  EXPECT_FALSE(guard_.probes_pending(now_));
  EXPECT_FALSE(guard_.on_probe_answer(peer(9001), now_));
}

TEST_F(LoopGuardTest, DropsEverythingOfAFoundServerUntilItWasSilent) {
  run_loop(1, true);
  EXPECT_EQ(receive("something new"), Verdict::drop);
  now_ += seconds(59);
  EXPECT_EQ(receive("something new"), Verdict::drop);
  now_ += seconds(61);
  EXPECT_EQ(receive("something new"), Verdict::answer);
}

TEST_F(LoopGuardTest, RemembersNoMorePeersThanItMay) {
  for (int round = 0; round < 3; ++round) {
    for (std::uint16_t port = 1024; port < 20'000; ++port) {
      ASSERT_EQ(receive("same", port), Verdict::answer);
    }
  }
}

}  // namespace
}  // namespace netkit
