// What the controller does on simulated paths, as numbers that are printed and bounded.
#include "path_simulation.hpp"

#include <cstdio>

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

using namespace std::chrono_literals;
using test::Bottleneck;
using test::Events;
using test::seconds;
using test::Session;
using test::Tcp;

struct Congestion : testing::Test {
  void Path(double bits_per_second, Duration round_trip) {
    link = std::make_unique<Bottleneck>(events, bits_per_second);
    rtt = round_trip;
  }
  // What a handshake tells of the path, as it is now.
  Session& Begin() {
    const Duration queue = std::max<Duration>(link->busy_until - events.now, Duration::zero());
    return BeginWith({rtt + 1ms + queue, CongestionController::kInitialWindow});
  }
  Session& BeginWith(const CongestionController::Path& known) {
    sessions.push_back(std::make_unique<Session>(events, *link, rtt, known, max_window));
    sessions.back()->start();
    return *sessions.back();
  }
  // Runs for so long and forgets what was measured before.
  void Settle(double span) {
    events.run(span);
    link->reset();
    for (const auto& session : sessions) session->delivered = 0;
  }

  Events events;
  std::unique_ptr<Bottleneck> link;
  std::vector<std::unique_ptr<Session>> sessions;
  Duration rtt{};
  double max_window = 1024;
};

TEST_F(Congestion, AloneUsesThePathAndKeepsTheQueueShort) {
  for (const double rate : {2e6, 10e6, 50e6}) {
    for (const Duration round_trip : {Duration(2ms), Duration(80ms)}) {
      Path(rate, round_trip);
      sessions.clear();
      Begin();
      Settle(3);
      events.run(6);
      std::printf("alone, %.0f Mbit/s, %.0f ms: %.2f used, a queue of %.1f ms, %.2f %% dropped\n",
                  rate / 1e6, seconds(round_trip) * 1e3, link->used(6), link->mean_queue() * 1e3,
                  link->drop_rate() * 100);
      EXPECT_GE(link->used(6), 0.85);
      EXPECT_LE(link->mean_queue(), 0.033);
      EXPECT_LE(link->drop_rate(), 0.01);
      events = Events();
    }
  }
}

TEST_F(Congestion, TwoShareThePath) {
  Path(10e6, 2ms);
  const Session& first = Begin();
  events.run(5);
  const Session& second = Begin();
  Settle(12);
  events.run(10);
  std::printf("two: %.2f and %.2f Mbit/s\n", first.delivered * 8e-7, second.delivered * 8e-7);
  EXPECT_LE(first.delivered, 2 * second.delivered);
  EXPECT_LE(second.delivered, 2 * first.delivered);
}

TEST_F(Congestion, FiftyShareAPathWithoutOverfillingIt) {
  for (const Duration round_trip : {Duration(2ms), Duration(40ms)}) {
    Path(10e6, round_trip);
    sessions.clear();
    for (int i = 0; i < 50; ++i) BeginWith({rtt + 1ms, CongestionController::kInitialWindow});
    Settle(5);
    events.run(8);
    std::vector<double> all;
    for (const auto& session : sessions) all.push_back(session->delivered);
    std::sort(all.begin(), all.end());
    std::printf("fifty, %.0f ms: %.2f used, %.2f %% dropped, from %.2f to %.2f Mbit/s\n",
                seconds(round_trip) * 1e3, link->used(8), link->drop_rate() * 100,
                all.front() * 1e-6, all.back() * 1e-6);
    EXPECT_GE(link->used(8), 0.85);
    EXPECT_LE(link->drop_rate(), 0.02);
    EXPECT_LE(all[45], 2.2 * all[5]);
    events = Events();
  }
}

TEST_F(Congestion, LeavesTcpItsShareAndTakesItsOwn) {
  for (const Duration round_trip : {Duration(2ms), Duration(80ms)}) {
    Path(10e6, round_trip);
    sessions.clear();
    Tcp tcp(events, *link, rtt);
    const Session& ours = Begin();
    events.run(3);
    tcp.start();
    Settle(10);
    tcp.delivered = 0;
    events.run(30);
    const double share = ours.delivered / (ours.delivered + tcp.delivered);
    std::printf("beside TCP, %.0f ms: %.2f\n", seconds(round_trip) * 1e3, share);
    EXPECT_GE(share, 0.25);
    EXPECT_LE(share, 0.75);
    events = Events();
  }
}

TEST_F(Congestion, DoesNotTakeRandomLossForCongestion) {
  max_window = 200;  // what there is to be reached
  double without = 0;
  for (const double loss : {0.0, 0.05, 0.1, 0.2}) {
    Path(1e9, 40ms);
    link->loss = loss;
    sessions.clear();
    const Session& session = Begin();
    events.run(4);
    if (loss == 0) without = session.delivered;
    std::printf("%.0f %% lost: %.1f Mbit/s\n", loss * 100, session.delivered * 2e-6);
    EXPECT_GE(session.delivered, without * 0.5);
    events = Events();
  }
}

TEST_F(Congestion, FollowsARateThatFallsAndRises) {
  Path(50e6, 40ms);
  Begin();
  events.run(4);
  link->set_rate(2e6);
  Settle(1.2);
  events.run(1);
  std::printf("fallen: %.2f used, %.2f %% dropped\n", link->used(1), link->drop_rate() * 100);
  EXPECT_GE(link->used(1), 0.8);
  EXPECT_LE(link->drop_rate(), 0.02);
  link->set_rate(50e6);
  Settle(2);
  events.run(1);
  std::printf("risen: %.2f used\n", link->used(1));
  EXPECT_GE(link->used(1), 0.8);
}

}  // namespace
}  // namespace netkit::datagram
