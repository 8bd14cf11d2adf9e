// What the protocol does on simulated paths, as numbers that are printed and bounded.
#include "datagram/congestion.hpp"

#include "path_simulation.hpp"

#include <cstdio>
#include <utility>

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

using namespace std::chrono_literals;
using test::Bottleneck;
using test::Events;
using test::seconds;
using test::Stream;
using test::Tcp;

struct Congestion : testing::Test {
  void Path(double bits_per_second, Duration round_trip,
            Stream::Speaker speaker = Stream::Speaker::server, std::uint16_t fraction = 1) {
    stream.reset();
    events = Events();
    events.now += 37ms * GTEST_FLAG_GET(random_seed);  // of other runs
    link = std::make_unique<Bottleneck>(events, bits_per_second);
    rtt = round_trip;
    stream = std::make_unique<Stream>(events, *link, rtt, speaker, fraction);
  }
  // Runs for so long and forgets what was measured before.
  void Settle(double span) {
    events.run(span);
    link->reset();
    stream->forget_delivered();
  }
  static double milli(Duration duration) { return seconds(duration) * 1e3; }
  // The best of all sessions to the worst.
  double Spread() const {
    const std::vector<double> all = stream->delivered();
    const auto [least, most] = std::minmax_element(all.begin(), all.end());
    return *most / std::max(*least, 1.0);
  }

  Events events;
  std::unique_ptr<Bottleneck> link;
  std::unique_ptr<Stream> stream;
  Duration rtt{};
};

TEST_F(Congestion, AloneUsesThePathAndKeepsTheQueueShort) {
  for (const double rate : {2e6, 10e6, 100e6}) {
    for (const Duration round_trip : {Duration(2ms), Duration(80ms)}) {
      Path(rate, round_trip);
      stream->add();
      Settle(3);
      events.run(4);
      std::printf("alone, %.0f Mbit/s, %.0f ms: %.2f used, a queue of %.1f ms, %.2f %% dropped\n",
                  rate / 1e6, milli(round_trip), link->used(4), link->mean_queue() * 1e3,
                  link->drop_rate() * 100);
      EXPECT_GE(link->used(4), 0.85);
      EXPECT_LE(link->mean_queue(), 0.033);
      EXPECT_LE(link->drop_rate(), 0.01);
    }
  }
}

TEST_F(Congestion, TwoShareThePath) {
  for (const double rate : {10e6, 100e6}) {
    for (const Duration round_trip : {Duration(2ms), Duration(80ms)}) {
      if (rate * seconds(round_trip) > 1e6) continue;  // takes half a minute
      Path(rate, round_trip);
      stream->add();
      events.run(4);
      stream->add();
      Settle(6);
      events.run(4);
      std::printf("two, %.0f Mbit/s, %.0f ms: %.2f used, %.2f to 1\n", rate / 1e6,
                  milli(round_trip), link->used(4), Spread());
      EXPECT_GE(link->used(4), 0.85);
      EXPECT_LE(Spread(), 2);
    }
  }
}

TEST_F(Congestion, FiftyShareThePathWithoutOverfillingIt) {
  for (const auto speaker :
       {Stream::Speaker::server, Stream::Speaker::clients, Stream::Speaker::room}) {
    Path(10e6, 2ms, speaker);
    for (int i = 0; i < 50; ++i) {
      stream->add();
      events.run(0.02);
    }
    Settle(14);
    events.run(8);
    std::printf("fifty: %.2f used, %.2f %% dropped, a queue of %.0f ms, %.2f to 1\n", link->used(8),
                link->drop_rate() * 100, link->mean_queue() * 1e3, Spread());
    EXPECT_GE(link->used(8), 0.85);
    EXPECT_LE(link->drop_rate(), 0.02);
    EXPECT_LE(Spread(), 2.5);
    EXPECT_EQ(stream->left, 0);
  }
}

// As after a restart of the server.
TEST_F(Congestion, FiftyWhoComeAtOnceDoNotOverfillIt) {
  for (const double apart : {1e-5, 5e-4}) {
    Path(10e6, 2ms);
    for (int i = 0; i < 50; ++i) {
      stream->add();
      events.run(apart);
    }
    events.run(4);
    std::printf("fifty at once: %.2f %% dropped, ", link->drop_rate() * 100);
    EXPECT_LE(link->drop_rate(), 0.02);
    Settle(0);
    events.run(4);
    std::printf("%.2f used, %.2f to 1\n", link->used(4), Spread());
    EXPECT_GE(link->used(4), 0.85);
    EXPECT_LE(Spread(), 2);
  }
}

// The bottleneck is at a router, or on the host of both.
TEST_F(Congestion, LeavesTcpItsShareAndTakesItsOwn) {
  for (const auto at : {Tcp::At::router, Tcp::At::host}) {
    for (const double rate : {10e6, 100e6}) {
      for (const Duration round_trip : {Duration(2ms), Duration(80ms)}) {
        for (const bool tcp_first : {false, true}) {
          if (tcp_first && rate > 10e6) continue;
          Path(rate, round_trip);
          Tcp tcp(events, *link, rtt, at);
          if (tcp_first) tcp.start();
          if (!tcp_first) stream->add();
          events.run(3);
          if (tcp_first) stream->add();
          if (!tcp_first) tcp.start();
          Settle(11);
          tcp.delivered = 0;
          events.run(8);
          const double ours = stream->delivered().front();
          const double share = ours / (ours + tcp.delivered);
          std::printf("beside TCP, %s, %.0f Mbit/s, %.0f ms: %.2f\n",
                      at == Tcp::At::host ? "own host" : "router", rate / 1e6, milli(round_trip),
                      share);
          EXPECT_GE(share, 0.25);
          EXPECT_LE(share, at == Tcp::At::host ? 0.8 : 0.75);
        }
      }
    }
  }
}

TEST_F(Congestion, TakesItsShareBesideTcpThatFillsLittleOfTheQueue) {
  for (const double taken : {60.0, 75.0, 90.0}) {
    Path(100e6, 2ms);
    Tcp tcp(events, *link, rtt, Tcp::At::router, taken);
    stream->add();
    events.run(1);
    tcp.start();
    Settle(8);
    tcp.delivered = 0;
    events.run(6);
    const double ours = stream->delivered().front();
    const double share = ours / (ours + tcp.delivered);
    std::printf("beside TCP of %.0f segments, 100 Mbit/s, 2 ms: %.2f\n", taken, share);
    EXPECT_GE(share, 0.25);
    EXPECT_LE(share, 0.75);
  }
}

TEST_F(Congestion, DoesNotTakeRandomLossForCongestion) {
  double without = 0;
  for (const double loss : {0.0, 0.05, 0.1, 0.2}) {
    Path(30e6, 40ms);
    link->loss = loss;
    stream->add();
    Settle(2);
    events.run(6);
    const double rate = stream->delivered().front() * 8 / 6;
    if (loss == 0) without = rate;
    std::printf("%.0f %% lost: %.1f Mbit/s\n", loss * 100, rate / 1e6);
    EXPECT_GE(rate, without * 0.5);
  }
}

// Where the path has room for all that may be on its way, the receiver's window is full at times.
TEST_F(Congestion, RepairsRandomLossBeforeTheReceiverIsFull) {
  std::vector<double> rates;
  for (const double loss : {0.0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2}) {
    Path(400e6, 40ms, Stream::Speaker::server, 8);
    link->loss = loss;
    link->random.seed(rates.size());
    stream->add();
    Settle(1);
    events.run(3);
    rates.push_back(stream->delivered().front() * 8 / 3);
  }
  const double least = *std::min_element(rates.begin(), rates.end());
  std::printf("20 %% lost, much on its way: %.2f of none\n", least / rates[0]);
  EXPECT_GE(least, rates[0] * 0.6);
}

// A fifth, which is known to be a round trip later: by then a look at the path has little in
// flight.
TEST_F(Congestion, TakesWhatWasLostBeforeALookForNoMoreOfIt) {
  CongestionController controller({.base = 40ms}, 960);
  TimePoint now{1h};
  std::uint64_t order = 0;
  double most = 0;
  std::uint32_t lost_before = 0;
  for (int round = 0; round < 200; ++round) {
    const auto count = static_cast<std::uint32_t>(controller.window());
    for (std::uint32_t i = 0; i < count; ++i) controller.on_sent(++order, now);
    now += 40ms;
    controller.on_lost(std::exchange(lost_before, count / 5));
    controller.on_acked(count - count / 5, order, 40ms, true, now);
    most = std::max(most, controller.rate());
    EXPECT_GE(controller.rate(), round > 30 ? most * 0.7 : 0) << "round " << round;
  }
}

TEST_F(Congestion, AnswersMarks) {
  for (const Duration round_trip : {Duration(2ms), Duration(80ms)}) {
    Path(10e6, round_trip);
    link->mark_above = std::max<Duration>(4ms, round_trip / 8);
    stream->add();
    Settle(3);
    events.run(6);
    std::printf("marks, %.0f ms: %.2f used, a queue of %.1f ms, %.1f %% marked\n",
                milli(round_trip), link->used(6), link->mean_queue() * 1e3,
                100 * link->marked / link->offered);
    EXPECT_GE(link->used(6), 0.7);
    EXPECT_LE(link->mean_queue(), 0.01);
    EXPECT_GT(link->marked, 0);
  }
}

TEST_F(Congestion, FollowsARateThatFallsAndRises) {
  Path(100e6, 40ms);
  stream->add();
  events.run(5);
  link->set_rate(2e6);
  link->busy_until = std::min(link->busy_until, events.now + 100ms);
  Settle(1);  // five round trips and what fills the buffer
  events.run(1);
  std::printf("fallen: %.2f used, %.2f %% dropped\n", link->used(1), link->drop_rate() * 100);
  EXPECT_GE(link->used(1), 0.8);
  EXPECT_LE(link->drop_rate(), 0.02);
  link->set_rate(100e6);
  Settle(1.2);
  events.run(2);
  std::printf("risen: %.2f used\n", link->used(2));
  EXPECT_GE(link->used(2), 0.8);
}

}  // namespace
}  // namespace netkit::datagram
