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
