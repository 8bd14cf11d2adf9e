// Sessions in clear that go on at another address.
#include "datagram/moving.hpp"

#include "lossy_net.hpp"

#include <string>

namespace netkit::datagram {
namespace {

class Moving : public LossyNet {
 protected:
  void move_to(Client& client, std::uint16_t port) { client.address = endpoint(port, "10.8.8.8"); }
  // The last datagram that was sent to or from the server by `from`.
  void record(const Endpoint& from) {
    tap = [this, from](const Endpoint& sender, const std::string& bytes) {
      if (sender == from) recorded.push_back(bytes);
    };
  }
  void inject(const Endpoint& from, const std::string& bytes) {
    in_transit.emplace(now, Transit{from, server_address, bytes});
  }
  bool is_at(const Client& client) { return server->peer(served.sessions.at(0)) == client.address; }
  std::vector<std::string> recorded;
};

TEST_F(Moving, LosesNothingInFiveMoves) {
  wire.loss = 0.1;
  wire.reorder = 0.1;
  Client& client = Connect();
  for (int i = 0; i < 5; ++i) {
    Push(i * 20 + 1, i * 20 + 10);
    move_to(client, static_cast<std::uint16_t>(50000 + i));
    Push(i * 20 + 11, i * 20 + 20);
    for (int j = 0; j < 20; ++j) client.end->send(line(i * 20 + j + 1));
    Run(100ms);
  }
  RunUntil([&] { return client.events.heard.size() >= 100 && served.heard.size() >= 100; }, 30s);
  ExpectLines(client.events.heard, 1, 100);
  ASSERT_EQ(served.heard.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(served.heard[static_cast<std::size_t>(i)].text, line(i + 1));
  }
  EXPECT_EQ(served.names.size(), 1U) << "one session all the time";
  EXPECT_TRUE(is_at(client));
}

TEST_F(Moving, TakesNoWordOfWhoOnlySawADatagram) {
  Client& client = Connect();
  record(client.address);
  client.end->send("mine alone");
  Run(1s);
  const Endpoint other = endpoint(666, "10.6.6.6");
  tap = [&](const Endpoint& from, const std::string& bytes) {
    if (from == server_address) {
      EXPECT_LE(bytes.size(), recorded.back().size());
    }
  };
  for (const std::string& bytes : recorded) inject(other, bytes);
  std::string bye(kHeaderSize + 1, '\0');
  bye.replace(0, kHeaderSize, recorded.back().substr(0, kHeaderSize));
  bye[2] = static_cast<char>(Type::bye);
  inject(other, bye);
  std::string reset;
  encode(Reset{key_of(recorded.back())}, reset);
  inject(other, reset);
  Run(3s);
  EXPECT_TRUE(served.left.empty());
  EXPECT_TRUE(is_at(client));
  EXPECT_EQ(served.heard.size(), 1U);
  client.end->send("mine, too");
  Run(1s);
  EXPECT_EQ(served.heard.size(), 2U);
}

TEST_F(Moving, TakesNoProofASecondTime) {
  Client& client = Connect();
  const Endpoint first = client.address;
  move_to(client, 50001);
  const Endpoint second = client.address;
  record(second);
  client.end->send("from the second");
  Run(1s);
  ASSERT_TRUE(is_at(client));
  const auto move = std::ranges::find_if(
      recorded, [](const std::string& bytes) { return type_of(bytes) == Type::move; });
  ASSERT_NE(move, recorded.end());
  tap = nullptr;
  client.address = first;
  client.end->send("from the first again");
  Run(1s);
  ASSERT_TRUE(is_at(client));
  inject(second, *move);
  Run(1s);
  EXPECT_TRUE(is_at(client)) << "the proof was good once";
}

TEST_F(Moving, TakesNoProofFromElsewhere) {
  Client& client = Connect();
  const Endpoint thief = endpoint(666, "10.6.6.6");
  record(client.address);
  client.end->send("mine");
  Run(1s);
  // What the thief is asked he has the client answer.
  std::string asked;
  tap = [&](const Endpoint& from, const std::string& bytes) {
    if (from == server_address && type_of(bytes) == Type::challenge) asked = bytes;
  };
  inject(thief, recorded.back());
  Run(100ms);
  ASSERT_FALSE(asked.empty());
  in_transit.emplace(now, Transit{server_address, client.address, asked});
  Run(1s);
  EXPECT_TRUE(is_at(client));
}

// Who has seen datagrams of many sessions sends them again, as if they came from a victim.
class Flood : public Moving {
 protected:
  void SetUp() override {
    start_server();
    for (int i = 0; i < 20; ++i) add_client("c" + std::to_string(i));
    Run(1s);
    tap = [this](const Endpoint& from, const std::string& bytes) {
      if (from != server_address) seen.push_back(bytes);
    };
    Run(6s);  // a heartbeat of each
    tap = nullptr;
    ASSERT_GE(seen.size(), 20U);
  }
  // How many bytes the server sends to `victim` for `count` datagrams.
  std::size_t answers_to(const Endpoint& victim, std::size_t count) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      server->on_datagram(victim, seen[i % seen.size()], now);
    }
    OutputQueue queue;
    server->drain(queue, now);
    for (const auto& item : queue.items()) {
      if (item.to->peer == victim) bytes += item.size();
    }
    return bytes;
  }
  std::vector<std::string> seen;
};

TEST_F(Flood, OfManySessionsTroublesAVictimLittle) {
  const Endpoint victim = endpoint(53, "10.6.6.6");
  const std::size_t challenge = answers_to(victim, 1);
  ASSERT_GT(challenge, 0U);
  std::size_t got = 0;
  for (int i = 0; i < 100; ++i) {
    got += answers_to(victim, 200);
    now += 100ms;
  }
  EXPECT_LE(got / challenge, 500U + 10 * 100U);
  EXPECT_GT(server->counters().replies_dropped, 10'000U);
  // Wherever in its network it is, of IPv6.
  got = 0;
  for (std::uint16_t port = 1; port < 10'000; ++port) {
    got += answers_to(
        *Endpoint::parse("[2001:db8::" + std::to_string(port % 10) + "]:" + std::to_string(port)),
        1);
  }
  EXPECT_LE(got / challenge, 500U);
}

TEST_F(Flood, KeepsNobodyFromMoving) {
  const Endpoint victim = endpoint(53, "10.6.6.6");
  std::string stray = seen.front();
  stray[5] = static_cast<char>(stray[5] ^ 1);  // of no session
  std::uint16_t port = 50000;
  for (const auto& client : clients) move_to(*client, ++port);
  for (int i = 0; i < 60; ++i) {
    for (int j = 0; j < 20'000; ++j) {
      server->on_datagram(victim, j % 2 == 0 ? stray : seen[static_cast<std::size_t>(j) % 20], now);
    }
    Run(100ms);
  }
  for (const SessionRef session : served.sessions) {
    EXPECT_EQ(server->peer(session).address().to_string(), "10.8.8.8");
  }
}

TEST_F(Moving, ProofsNeedTheKey) {
  SessionKey key{};
  Move move{1, {}, 2, {}};
  move.proof = prove_move(key, 1, move.token, 2);
  EXPECT_TRUE(proves(move, key));
  move.count = 3;
  EXPECT_FALSE(proves(move, key));
  move.count = 2;
  key[15] = 1;
  EXPECT_FALSE(proves(move, key));
}

}  // namespace
}  // namespace netkit::datagram
