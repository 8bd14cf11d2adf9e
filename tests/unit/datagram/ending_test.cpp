// How sessions end: BYE, END, the lease, a restart, and what comes late.
#include "datagram/wire.hpp"
#include "lossy_net.hpp"

#include <algorithm>
#include <array>

namespace netkit::datagram {
namespace {

using Ending = LossyNet;

TEST_F(Ending, FinishDeliversWhatIsDueFirst) {
  wire = {.loss = 0.2, .duplicate = 0.05, .reorder = 0.1};
  Client& ann = Connect();
  for (int i = 1; i <= 200; ++i) Push(i, i);
  server->finish_all("closing", now);
  RunUntil([&] { return server->size() == 0 && ann.end->idle(); }, 5s);
  ExpectLines(ann.events.heard, 1, 200);
  EXPECT_EQ(ann.events.log.back(), "left ended closing");
  EXPECT_EQ(served.left, std::vector<std::string>{"finished"});
  EXPECT_EQ(server->next_deadline(), TimePoint::max());
}

TEST_F(Ending, AClientFinishesOnceAllIsAcknowledged) {
  wire = {.loss = 0.2, .duplicate = 0.05, .reorder = 0.1};
  Client& ann = Connect();
  for (int i = 1; i <= 200; ++i) ASSERT_TRUE(ann.end->send(line(i)));
  ann.end->finish("that was all", now);
  EXPECT_FALSE(ann.end->send("more"));
  RunUntil([&] { return ann.end->idle(); }, 5s);
  EXPECT_EQ(ann.events.log.back(), "left finished");
  EXPECT_EQ(ann.end->unacknowledged(), 0u);
  EXPECT_EQ(served.heard.size(), 200u);
  EXPECT_EQ(served.left, std::vector<std::string>{"ended that was all"});
}

TEST_F(Ending, FinishMayComeBeforeTheSession) {
  start_server();
  Client& ann = add_client();
  ann.end->send("one");
  ann.end->finish("", now);
  RunUntil([&] { return ann.end->idle(); }, 5s);
  EXPECT_EQ(ann.events.log.back(), "left finished");
  EXPECT_EQ(served.heard.size(), 1u);
}

TEST_F(Ending, ALastWordThatIsLostIsSaidAgain) {
  for (int i = 0; i < 40; ++i) Connect();
  wire.loss = 0.4;
  server->finish_all("closing", now);
  const auto idle = [](const auto& client) { return client->end->idle(); };
  RunUntil([&] { return server->size() == 0 && std::ranges::all_of(clients, idle); }, 10s);
  EXPECT_EQ(served.left, std::vector<std::string>(40, "finished"));
  for (const auto& client : clients) EXPECT_EQ(client->events.log.back(), "left ended closing");
}

TEST_F(Ending, ALastWordIsAnsweredAtOnce) {
  Client& ann = Connect();
  server->finish_all("closing", now);
  Run(4 * wire.delay);
  EXPECT_EQ(ann.events.log.back(), "left ended closing");
  sent = 0;
  Run(60s);
  EXPECT_EQ(sent, 0u);
}

class LastWord : public LossyNet {
 protected:
  // A client that has heard END, and nothing after it.
  Client& HeardEnd() {
    Client& client = Connect();
    server->finish_all("closing", now);
    Run(wire.delay + wire.delay / 2);
    client.cut_off = true;
    EXPECT_TRUE(client.end->connected());
    EXPECT_EQ(client.events.log.size(), 1u);
    sent = 0;
    return client;
  }
};

TEST_F(LastWord, IsNotSaidForLongerThanASecond) {
  Client& ann = HeardEnd();
  server.reset();
  Run(1s);
  EXPECT_EQ(ann.events.log.back(), "left ended closing");
  EXPECT_LE(sent, 8u);
}

TEST_F(LastWord, IsNotSaidToAServerThatHasGone) {
  Client& ann = HeardEnd();
  EXPECT_TRUE(ann.end->on_refused());
  EXPECT_EQ(ann.events.log.back(), "left ended closing");
}

TEST_F(LastWord, IsNotWhatARefusalBeforeItMeans) {
  EXPECT_FALSE(Connect().end->on_refused());
}

TEST_F(Ending, ASessionIsHeldOnToThroughARefusalOrTwo) {
  Client& ann = Connect();
  for (const bool holds : {true, true, false}) {
    EXPECT_FALSE(ann.end->on_refused());
    EXPECT_EQ(ann.end->holds_on(), holds);
  }
  Push(1, 1);
  Run(1s);
  EXPECT_TRUE(ann.end->holds_on());
}

TEST_F(Ending, FinishWaitsNoLongerThanItsLinger) {
  Client& ann = Connect();
  ann.cut_off = true;
  server->finish_all("closing", now);
  Run(2900ms);
  EXPECT_EQ(server->size(), 1u);
  Run(200ms);
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(served.left, std::vector<std::string>{"lease"});
}

TEST_F(Ending, WhatHasComeIsHeardThoughTheServerHasGone) {
  Client& ann = Connect();
  ann.end->pause();
  for (int i = 1; i <= 50; ++i) Push(i, i);
  server->finish_all("closing", now);
  RunUntil([&] { return server->size() == 0; }, 5s);
  ann.cut_off = true;
  Run(60s);  // longer than the lease
  EXPECT_TRUE(ann.end->on_refused());
  ann.end->resume(now);
  Run(5s);
  ExpectLines(ann.events.heard, 1, 50);
  EXPECT_EQ(ann.events.log.back(), "left ended closing");
}

TEST_F(Ending, LeaveSaysBye) {
  Client& ann = Connect();
  ann.end->leave("quit", now);
  Run(10ms);
  EXPECT_EQ(served.left, std::vector<std::string>{"bye quit"});
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(ann.events.log.size(), 1u);
  sent = 0;
  Run(60s);
  EXPECT_EQ(sent, 0u);
}

TEST_F(Ending, CloseSaysBye) {
  Client& ann = Connect();
  server->close(served.sessions[0], "evicted");
  Run(10ms);
  EXPECT_EQ(ann.events.log.back(), "left bye evicted");
  EXPECT_TRUE(served.left.empty());
}

TEST_F(Ending, CloseSaysByeToAllHoweverManyTheyAre) {
  options.max_replies = 2;
  const std::array<Client*, 5> all{&Connect(), &Connect(), &Connect(), &Connect(), &Connect()};
  for (const SessionRef session : std::vector(served.sessions)) server->close(session, "stopped");
  Run(10ms);
  for (const Client* client : all) EXPECT_EQ(client->events.log.back(), "left bye stopped");
}

TEST_F(Ending, ALostByeIsSaidAgainWhenAskedFor) {
  options.heartbeat = 2s;
  Client& ann = Connect();
  outage_until = now + 100ms;
  server->close(served.sessions[0], "evicted");
  Run(3s);
  EXPECT_EQ(ann.events.log.back(), "left bye");
  Client& bob = Connect();
  outage_until = now + 100ms;
  bob.end->leave("", now);
  Run(100ms);
  PushOne("anybody there?");
  Run(1s);
  EXPECT_EQ(served.left, std::vector<std::string>{"bye"});
}

TEST_F(Ending, TheLeaseEndsBothSides) {
  options.lease = 6s;
  Client& ann = Connect();
  ann.cut_off = true;
  Run(5900ms);
  EXPECT_EQ(server->size(), 1u);
  Run(2s);
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(served.left, std::vector<std::string>{"lease"});
  Run(6s);
  EXPECT_EQ(ann.events.log.back(), "left lease");
}

TEST_F(Ending, HeartbeatsOutliveABadWire) {
  options.lease = 15s;
  wire = {.loss = 0.3, .duplicate = 0.1, .reorder = 0.2};
  Client& ann = Connect();
  Run(std::chrono::hours(1));
  EXPECT_TRUE(ann.end->connected());
  EXPECT_EQ(server->size(), 1u);
}

TEST_F(Ending, ARestartIsNoticedWithinAHeartbeat) {
  options.heartbeat = 5s;
  Client& ann = Connect();
  ann.events.left = [&] { ann.end->connect("ann", now); };
  Run(1s);
  server.reset();
  Run(1s);
  served.sessions.clear();
  start_server();
  RunUntil([&] { return server->size() == 1; }, 5s);
  EXPECT_EQ(server->size(), 1u);
  EXPECT_EQ(ann.events.log[1], "left reset");
}

TEST_F(Ending, OnlyTheServersOwnResetCounts) {
  Client& ann = Connect();
  std::string reset;
  encode(Reset{123}, reset);
  ann.end->on_datagram(reset, now);
  EXPECT_TRUE(ann.end->connected());
}

TEST_F(Ending, AServerHearsOfARestartedClient) {
  Client& ann = Connect();
  ann.end->connect("ann", now);  // as another program at its address
  RunUntil([&] { return served.names.size() == 2; }, 1s);
  PushOne("for both sessions");
  Run(1s);
  EXPECT_EQ(served.left, std::vector<std::string>{"reset"});
  EXPECT_EQ(ann.events.heard.size(), 1u);
  EXPECT_EQ(server->size(), 1u);
}

TEST_F(Ending, SessionsMayBeClosedFromWithinTheirOwnMessages) {
  Client& ann = Connect();
  served.message = [&](SessionRef session, std::string_view) { server->close(session, "enough"); };
  for (int i = 0; i < 100; ++i) ann.end->send("x");
  Run(1s);
  EXPECT_EQ(served.heard.size(), 1u);  // of all that came in one datagram
  EXPECT_EQ(ann.events.log.back(), "left bye enough");
}

TEST_F(Ending, AClientMayReconnectFromWithinItsOwnMessages) {
  Client& ann = Connect();
  ann.events.message = [&](std::string_view) { ann.end->connect("again", now); };
  PushOne("x");
  Run(1s);
  EXPECT_TRUE(ann.end->connected());
  EXPECT_EQ(ann.events.log.back(), "connected welcome again");
}

TEST_F(Ending, IndexesAreUsedAgain) {
  for (int i = 0; i < 5; ++i) {
    Client& ann = Connect();
    EXPECT_EQ(served.sessions.back().index, 0u);
    EXPECT_EQ(served.sessions.back().generation, static_cast<std::uint32_t>(i));
    ann.end->leave("", now);
    Run(10ms);
  }
  EXPECT_FALSE(server->contains({0, 0}));
  EXPECT_FALSE(server->send(SessionRef{0, 0}, "x"));
}

}  // namespace
}  // namespace netkit::datagram
