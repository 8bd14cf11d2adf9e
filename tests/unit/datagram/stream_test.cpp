// What the native protocol promises: nothing lost, doubled or reordered while it lasts.
#include "lossy_net.hpp"

namespace netkit::datagram {
namespace {

using Stream = LossyNet;

TEST_F(Stream, CarriesLinesWithTheirNumbers) {
  Client& ann = Connect();
  Push(1, 3);
  Run(1s);
  ExpectLines(ann.events.heard, 1, 3);
}

TEST_F(Stream, IsExactlyOnceAndInOrderOnABadWire) {
  wire = {.loss = 0.2, .duplicate = 0.05, .reorder = 0.1};
  Connect();
  Connect();
  Connect();
  for (int i = 1; i <= 3000; i += 10) {
    Push(i, i + 9);
    Run(1ms);
  }
  RunUntil(
      [&] {
        return clients[0]->events.heard.size() == 3000 && clients[1]->events.heard.size() == 3000 &&
               clients[2]->events.heard.size() == 3000;
      },
      8s);
  for (const auto& client : clients) {
    ExpectLines(client->events.heard, 1, 3000);
    EXPECT_TRUE(client->events.gaps.empty());
  }
}

TEST_F(Stream, CarriesBothDirectionsOnABadWire) {
  wire = {.loss = 0.2, .duplicate = 0.05, .reorder = 0.1};
  Client& ann = Connect();
  served.message = [this](SessionRef session, std::string_view text) {
    server->send(session, text);
  };
  for (int i = 1; i <= 300; ++i) {
    ASSERT_TRUE(ann.end->send(line(i)));
    Run(1ms);
  }
  RunUntil([&] { return ann.events.heard.size() == 300; }, 5s);
  ASSERT_EQ(ann.events.heard.size(), 300u);
  for (int i = 1; i <= 300; ++i) {
    EXPECT_EQ(ann.events.heard[static_cast<std::size_t>(i - 1)].text, line(i));
  }
  RunUntil([&] { return ann.end->unacknowledged() == 0; }, 5s);
  EXPECT_EQ(ann.end->unacknowledged(), 0u);
}

// What comes out of order is held, for all sessions together, up to a bound; the rest comes again.
TEST_F(Stream, HoldsNoMoreThanItMay) {
  options.max_held = 12'000;
  wire = {.loss = 0.2, .reorder = 0.2};
  Client& ann = Connect();
  Connect();
  std::uint64_t most = 0;
  for (int i = 1; i <= 300; ++i) {
    ASSERT_TRUE(ann.end->send(line(i) + std::string(800, 'x')));
    Run(1ms);
    most = std::max(most, server->counters().held);
  }
  RunUntil([&] { return served.heard.size() == 300; }, 120s);
  ASSERT_EQ(served.heard.size(), 300u);
  EXPECT_TRUE(served.heard.back().text.starts_with(line(300)));
  EXPECT_LE(most, options.max_held);
  EXPECT_GT(server->counters().no_memory, 0u);
  EXPECT_TRUE(served.gaps.empty());
  for (const auto& client : clients) client->end->leave("bye", now);
  Run(1s);
  EXPECT_EQ(server->counters().held, 0u);
}

// What waits for sessions that do not acknowledge is bounded for all of them together.
TEST_F(Stream, LetsWhatWaitsForSingleSessionsTakeNoMoreThanItMay) {
  options.max_queued = 50'000;
  constexpr std::size_t kClients = 10;
  for (std::size_t i = 0; i < kClients; ++i) Connect();
  const std::vector<SessionRef> sessions = served.sessions;
  wire = {.loss = 1};
  for (int round = 0; round < 5; ++round) {
    for (const SessionRef session : sessions) server->send(session, std::string(50'000, 'x'));
    Run(1ms);
  }
  // Each keeps the datagram that goes out next.
  EXPECT_LE(server->counters().queued, options.max_queued + kClients * 1200);
  EXPECT_GT(server->counters().no_memory, 0u);
  wire = {};
  for (const SessionRef session : sessions) server->send(session, "end");
  const auto has_ended = [](const auto& client) {
    return !client->events.heard.empty() && client->events.heard.back().text == "end";
  };
  RunUntil([&] { return std::ranges::all_of(clients, has_ended); }, 20s);
  for (const auto& client : clients) {
    ASSERT_TRUE(has_ended(client));
    std::uint64_t lost = 0;
    for (const Gap& gap : client->events.gaps) lost += gap.unnumbered;
    EXPECT_EQ(client->events.heard.size() + lost, 6u);
  }
  Run(1s);
  EXPECT_EQ(server->counters().queued, 0u);
}

TEST_F(Stream, CarriesLongMessagesWhole) {
  wire = {.loss = 0.2, .duplicate = 0.05, .reorder = 0.1};
  Client& ann = Connect();
  std::string text(60000, '\0');
  for (char& byte : text) byte = static_cast<char>(random_());
  PushOne(text);
  server->send(served.sessions[0], text);
  RunUntil([&] { return ann.events.heard.size() == 2; }, 5s);
  ASSERT_EQ(ann.events.heard.size(), 2u);
  EXPECT_EQ(ann.events.heard[0], (Heard{1, text}));
  EXPECT_EQ(ann.events.heard[1], (Heard{0, text}));
}

TEST_F(Stream, LosesNothingInAnOutageShorterThanTheLease) {
  Client& ann = Connect();
  Push(1, 100);
  Outage(20s);
  Push(101, 200);
  RunUntil([&] { return ann.events.heard.size() == 200; }, 3s);
  ExpectLines(ann.events.heard, 1, 200);
  EXPECT_TRUE(ann.end->connected());
}

TEST_F(Stream, ReportsWhatALongOutageCost) {
  options.lease = 5s;
  options.keep = 10;
  Client& ann = Connect();
  ann.events.left = [&] { ann.end->connect("ann", now); };
  ring = ChunkRing(10);
  Push(1, 3);
  Run(100ms);
  std::uint64_t next = 4;
  ann.events.connected = [&] { ann.end->expect_record(next); };
  served.connected = [&](SessionRef session) { server->send(session, ring.since(next)); };
  outage_until = now + 12s;
  for (int i = 4; i <= 60; ++i) {
    Push(i, i);
    Run(200ms);
  }
  Run(10s);
  ASSERT_EQ(ann.events.gaps.size(), 1u);
  EXPECT_EQ(ann.events.gaps[0], (Gap{4, 50, 0}));
  EXPECT_EQ(ann.events.heard.size(), 13u);
  EXPECT_EQ(ann.events.heard.back(), (Heard{60, line(60)}));
  EXPECT_EQ(served.left, std::vector<std::string>{"lease"});
}

TEST_F(Stream, AnnouncesWhatTheQueueDropped) {
  options.keep = 10;
  options.max_in_flight = 4;
  options.max_window = 4;
  options.initial_in_flight = 4;
  Client& ann = Connect();
  outage_until = now + 2s;
  for (int i = 1; i <= 100; ++i) Push(i, i), flush();
  Run(10s);
  ASSERT_EQ(ann.events.gaps, std::vector<Gap>({{5, 90, 0}}));
  ASSERT_EQ(ann.events.heard.size(), 14u);
  EXPECT_EQ(ann.events.heard[3].record, 4u);
  EXPECT_EQ(ann.events.heard[4].record, 91u);
  EXPECT_EQ(server->counters().dropped, 86u);
}

TEST_F(Stream, CountsDroppedMessagesWithoutNumbers) {
  options.keep = 5;
  options.max_in_flight = 1;
  options.max_window = 1;
  options.initial_in_flight = 1;
  options.min_in_flight = 1;
  Client& ann = Connect();
  outage_until = now + 1s;
  for (int i = 1; i <= 20; ++i) server->send(served.sessions[0], line(i)), flush();
  Run(5s);
  ASSERT_EQ(ann.events.gaps, std::vector<Gap>({{0, 0, 14}}));
  EXPECT_EQ(ann.events.heard.size(), 6u);
}

TEST_F(Stream, DropsNoPartOfALongMessageUnseen) {
  options.keep = 2;
  options.max_in_flight = 4;
  options.max_window = 4;
  options.initial_in_flight = 4;
  Client& ann = Connect();
  outage_until = now + 1s;
  for (int i = 1; i <= 9; ++i) PushOne(std::string(20000, static_cast<char>('a' + i))), flush();
  Run(10s);
  std::uint64_t expected = 1;
  std::size_t missing = 0;
  for (const Gap& gap : ann.events.gaps) missing += gap.to - gap.from + 1;
  EXPECT_EQ(ann.events.heard.size() + missing, 9u);
  for (const Heard& one : ann.events.heard) {
    EXPECT_GE(one.record, expected);
    EXPECT_EQ(one.text, std::string(20000, static_cast<char>('a' + one.record)));
    expected = one.record + 1;
  }
  EXPECT_EQ(expected, 10u);
}

TEST_F(Stream, WaitsForAReceiverThatPauses) {
  options.receive_window = 4;
  options.overflow = Overflow::keep_all;
  Client& ann = Connect();
  ann.end->pause();
  for (int i = 1; i <= 1000; ++i) Push(i, i), flush();
  Run(20s);
  EXPECT_TRUE(ann.events.heard.empty());
  EXPECT_TRUE(server->status(served.sessions[0]).blocked);
  EXPECT_EQ(server->status(served.sessions[0]).lag, 1000u - 4u);
  ann.end->resume(now);
  RunUntil([&] { return ann.events.heard.size() == 1000; }, 2s);
  ExpectLines(ann.events.heard, 1, 1000);
  EXPECT_EQ(ann.end->counters().out_of_window, 0u);
}

TEST_F(Stream, ReopensTheWindowOnABadWire) {
  wire = {.loss = 0.3, .duplicate = 0.1, .reorder = 0.2};
  options.overflow = Overflow::keep_all;
  options.receive_window = 8;
  Client& ann = Connect();
  ann.events.message = [&](std::string_view) { ann.end->pause(); };
  for (int i = 1; i <= 60; ++i) Push(i, i), flush();
  for (int i = 0; i < 3000 && ann.events.heard.size() < 60; ++i) {
    Run(20ms);
    ann.end->resume(now);
  }
  ExpectLines(ann.events.heard, 1, 60);
}

TEST_F(Stream, CountsSessionsThatAreFull) {
  options.receive_window = 4;
  options.overflow = Overflow::keep_all;
  options.keep = 100;
  Client& ann = Connect();
  ann.end->pause();
  Push(1, 10);
  EXPECT_EQ(server->full_sessions(), 0u);
  for (int i = 11; i <= 800; ++i) Push(i, i), flush();
  Run(1s);
  EXPECT_EQ(server->full_sessions(), 1u);
  ann.end->resume(now);
  Run(1s);
  EXPECT_EQ(server->full_sessions(), 0u);
  EXPECT_EQ(ann.events.heard.size(), 800u);
}

TEST_F(Stream, IsSilentButForHeartbeats) {
  options.heartbeat = 5s;
  Connect();
  Run(1s);
  sent = 0;
  wake_ups = 0;
  Run(100s);
  EXPECT_EQ(sent, 40u);
  EXPECT_LT(wake_ups, 120);
}

TEST_F(Stream, SurvivesTheWrapOfSequenceNumbers) {
  // Ids, sequence numbers and nonces are all dice; these fall just short of 2^32.
  options.overflow = Overflow::keep_all;
  std::uint64_t count = 0;
  server = std::make_unique<Server>(
      options, [&] { return 0xfffffff000000000u + (++count << 40) + 0xffffff80u; }, served);
  wire = {.loss = 0.2, .duplicate = 0.05, .reorder = 0.1};
  Client& ann = Connect();
  for (int i = 1; i <= 1000; ++i) {
    Push(i, i);
    Run(1ms);
  }
  RunUntil([&] { return ann.events.heard.size() == 1000; }, 5s);
  ExpectLines(ann.events.heard, 1, 1000);
}

TEST_F(Stream, WorksWithOptionsOutOfTheirRange) {
  options.receive_window = 60000;
  options.max_in_flight = 0;
  options.initial_in_flight = 0;
  options.min_in_flight = 60000;
  options.ack_every = 0;
  options.min_rto = 0s;
  options.max_rto = 0s;
  options.initial_rto = 0s;
  Client& ann = Connect();
  for (int i = 1; i <= 50; ++i) Push(i, i), Run(10ms);
  Run(1s);
  ExpectLines(ann.events.heard, 1, 50);
}

TEST_F(Stream, LeavesRoomForALayerBelow) {
  options.max_datagram = 1163;
  Client& ann = Connect();
  Packer room({server->options().max_body(), 65536, 1});
  room.append(std::string(5000, 'a'));
  std::size_t largest = 0;
  tap = [&](const Endpoint&, const std::string& bytes) {
    largest = std::max(largest, bytes.size());
  };
  server->broadcast(room.flush());
  ann.end->send(std::string(5000, 'b'));
  Run(1s);
  EXPECT_EQ(ann.events.heard.size(), 1u);
  EXPECT_EQ(served.heard.size(), 1u);
  EXPECT_EQ(largest, 1163u);
}

TEST_F(Stream, AsksForAnAnswerToManyDatagramsAtOnce) {
  Connect();
  const auto time_to_acknowledge = [&](std::size_t bytes) {
    const TimePoint begin = now;
    PushOne(std::string(bytes, 'x'));
    RunUntil([&] { return server->status(served.sessions.front()).lag == 0; }, 10s);
    return now - begin;
  };
  EXPECT_EQ(time_to_acknowledge(10000), 2 * wire.delay);
  // A few wait for others.
  EXPECT_EQ(time_to_acknowledge(100), 2 * wire.delay + options.ack_delay);
}

TEST_F(Stream, PacksAQueueIntoFullDatagrams) {
  options.overflow = Overflow::keep_all;
  Client& ann = Connect();
  std::size_t datagrams = 0;
  tap = [&](const Endpoint& from, const std::string& bytes) {
    if (from == server_address && bytes.size() > 100) ++datagrams;
  };
  Push(1, 10000);
  RunUntil([&] { return ann.events.heard.size() == 10000; }, 5s);
  ExpectLines(ann.events.heard, 1, 10000);
  EXPECT_LT(datagrams, 100u);
}

}  // namespace
}  // namespace netkit::datagram
