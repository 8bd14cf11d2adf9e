// How sessions begin: cookies, verdicts, duplicates, and what strangers get.
#include "datagram/session.hpp"
#include "datagram/wire.hpp"
#include "lossy_net.hpp"

namespace netkit::datagram {
namespace {

class Handshake : public LossyNet {
 protected:
  // Hands the server one datagram and returns what it answers to that address.
  std::vector<std::string> Ask(const Endpoint& from, std::string_view datagram) {
    server->on_datagram(from, datagram, now);
    OutputQueue queue;
    server->drain(queue, now);
    std::vector<std::string> answers;
    for (const auto& item : queue.items()) {
      EXPECT_EQ(*item.to, from);
      answers.push_back(std::string(item.head) + std::string(item.body));
    }
    return answers;
  }
  template <typename Message>
  static std::string Bytes(const Message& message) {
    std::string out;
    encode(message, out);
    return out;
  }
  Cookie CookieFor(const Endpoint& from, std::uint64_t nonce) {
    const auto answers = Ask(from, Bytes(Hello{nonce}));
    EXPECT_EQ(answers.size(), 1u);
    return decode_cookie(answers.at(0))->cookie;
  }
  static datagram::Connect Request(std::uint64_t nonce, const Cookie& cookie) {
    return {nonce, cookie, 7, 64, "ann"};
  }

  const Endpoint home = endpoint(40000);
};

TEST_F(Handshake, TellsBothSides) {
  Client& ann = Connect();
  EXPECT_EQ(ann.events.log, std::vector<std::string>{"connected welcome ann"});
  EXPECT_EQ(served.names, std::vector<std::string>{"ann"});
}

TEST_F(Handshake, PassesARefusalOn) {
  start_server();
  served.refuse = true;
  Client& ann = add_client();
  Run(1s);
  EXPECT_EQ(ann.events.log, std::vector<std::string>{"rejected 2 taken: ann"});
  EXPECT_TRUE(ann.end->idle());
  EXPECT_EQ(server->size(), 0u);
}

TEST_F(Handshake, MakesOneSessionOnAnyWire) {
  wire = {.loss = 0.3, .duplicate = 0.3, .reorder = 0.3};
  start_server();
  for (int i = 0; i < 100; ++i) add_client("c" + std::to_string(i));
  Run(9s);
  EXPECT_EQ(server->size(), 100u);
  EXPECT_EQ(server->counters().accepted, 100u);
  for (const auto& client : clients) EXPECT_TRUE(client->end->connected());
}

TEST_F(Handshake, BeginsToSendSoonWhicheverDatagramIsLost) {
  wire = {.loss = 0.3};
  start_server();
  for (int i = 0; i < 100; ++i) add_client("c" + std::to_string(i));
  RunUntil([&] { return server->size() == 100; }, 9s);
  PushOne("welcome");
  Run(4900ms);  // less than a heartbeat
  for (const auto& client : clients) EXPECT_EQ(client->events.heard.size(), 1u);
}

TEST_F(Handshake, GivesUpAfterTheConnectTimeout) {
  Client& ann = add_client();
  Run(11s);
  EXPECT_EQ(ann.events.log, std::vector<std::string>{"left timeout"});
  EXPECT_EQ(ann.end->next_deadline(), TimePoint::max());
}

TEST_F(Handshake, SendsWhatWasSaidBeforeIt) {
  start_server();
  Client& ann = add_client();
  EXPECT_TRUE(ann.end->send("early"));
  Run(1s);
  EXPECT_EQ(served.heard, std::vector<Heard>({{0, "early"}}));
}

TEST_F(Handshake, AcceptsACookieFromItsOwnAddressOnly) {
  start_server();
  const Cookie cookie = CookieFor(home, 1);
  const auto other = Ask(endpoint(40001), Bytes(Request(1, cookie)));
  EXPECT_EQ(type_of(other.at(0)), Type::cookie);
  Ask(endpoint(40000, "10.0.0.2"), Bytes(Request(1, cookie)));
  Ask(home, Bytes(Request(2, cookie)));
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(server->counters().bad_cookies, 3u);
  EXPECT_EQ(type_of(Ask(home, Bytes(Request(1, cookie))).at(0)), Type::accept);
}

TEST_F(Handshake, RefusesAWrongCookieWhicheverByteIsWrong) {
  start_server();
  const Cookie cookie = CookieFor(home, 1);
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    Cookie wrong = cookie;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_EQ(type_of(Ask(home, Bytes(Request(1, wrong))).at(0)), Type::cookie);
  }
  EXPECT_EQ(server->size(), 0u);
}

TEST_F(Handshake, AnswersAStaleCookieWithAFreshOne) {
  start_server();
  const Cookie cookie = CookieFor(home, 1);
  now += 20s;
  const auto answers = Ask(home, Bytes(Request(1, cookie)));
  const auto fresh = decode_cookie(answers.at(0));
  ASSERT_TRUE(fresh);
  EXPECT_EQ(type_of(Ask(home, Bytes(Request(1, fresh->cookie))).at(0)), Type::accept);
}

TEST_F(Handshake, KeepsACookieGoodForAtLeastItsLifetime) {
  start_server();
  const Cookie cookie = CookieFor(home, 1);
  now += 10s;
  EXPECT_EQ(type_of(Ask(home, Bytes(Request(1, cookie))).at(0)), Type::accept);
}

TEST_F(Handshake, RepeatsTheAnswerToARepeatedConnect) {
  start_server();
  const std::string request = Bytes(Request(1, CookieFor(home, 1)));
  const auto first = Ask(home, request);
  EXPECT_EQ(first, Ask(home, request));
  EXPECT_EQ(server->size(), 1u);
  EXPECT_EQ(served.names.size(), 1u);
}

TEST_F(Handshake, DoesNotBeginAnEndedSessionAnew) {
  start_server();
  const std::string request = Bytes(Request(1, CookieFor(home, 1)));
  Ask(home, request);
  server->close(served.sessions[0], "go");
  Ask(home, request);
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(server->counters().replayed, 1u);
}

TEST_F(Handshake, ForgetsASessionThatIsNeverUsed) {
  options.connect_timeout = 4s;
  start_server();
  Ask(home, Bytes(Request(1, CookieFor(home, 1))));
  EXPECT_EQ(server->size(), 1u);
  now += 4s;
  server->tick(now);
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(served.left, std::vector<std::string>{"lease"});
}

TEST_F(Handshake, RefusesMoreThanMaxSessions) {
  options.max_sessions = 2;
  start_server();
  for (int i = 0; i < 3; ++i) add_client("c" + std::to_string(i));
  Run(1s);
  EXPECT_EQ(server->size(), 2u);
  EXPECT_EQ(server->counters().full, 1u);
}

TEST_F(Handshake, NeverAnswersAStrangerWithMoreThanHeSent) {
  start_server();
  std::vector<std::string> asks = {
      Bytes(Hello{1}),
      Bytes(Request(1, Cookie{})),
      Bytes(datagram::Connect{1, Cookie{}, 0, 0, ""}),
      Bytes(Reset{1}),
      Bytes(VersionReply{1, 1, 1}),
      Bytes(CookieReply{1, Cookie{}}),
  };
  for (int version : {0, 2, 255}) {
    std::string other = Bytes(Hello{1});
    other[1] = static_cast<char>(version);
    asks.push_back(other);
    for (std::size_t size = 0; size < 20; ++size) asks.push_back(other.substr(0, size));
  }
  for (int type = 0; type < 256; ++type) {
    std::string datagram(25, '\1');
    datagram[0] = static_cast<char>(kMagic);
    datagram[2] = static_cast<char>(type);
    for (std::size_t size = 0; size <= 25; ++size) asks.push_back(datagram.substr(0, size));
  }
  for (const std::string& ask : asks) {
    std::size_t answered = 0;
    for (const std::string& answer : Ask(home, ask)) answered += answer.size();
    EXPECT_LE(answered, ask.size()) << "type " << (ask.size() > 2 ? int(ask[2]) : -1);
  }
  EXPECT_EQ(server->size(), 0u);
}

TEST_F(Handshake, KeepsNoStateForAMillionHellos) {
  start_server();
  OutputQueue queue;
  const std::string hello = Bytes(Hello{1});
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    server->on_datagram(Endpoint(IpAddress::v4(i), 1000), hello, now);
    if (i % 1000 == 999) {
      server->drain(queue, now);
      EXPECT_LE(queue.size(), options.max_replies);
      queue.clear();
    }
  }
  EXPECT_EQ(server->size(), 0u);
  EXPECT_EQ(server->next_deadline(), TimePoint::max());
  EXPECT_EQ(server->counters().cookies_sent, 1'000'000u);
}

TEST_F(Handshake, BoundsTheAnswersThatWait) {
  options.max_replies = 10;
  start_server();
  for (int i = 0; i < 100; ++i) server->on_datagram(home, Bytes(Hello{1}), now);
  OutputQueue queue;
  server->drain(queue, now);
  EXPECT_EQ(queue.size(), 10u);
  EXPECT_EQ(server->counters().replies_dropped, 90u);
}

TEST_F(Handshake, NamesItsVersionsToANewerClient) {
  start_server();
  std::string hello = Bytes(Hello{77});
  hello[1] = 9;
  const auto answers = Ask(home, hello);
  const auto version = decode_version(answers.at(0));
  ASSERT_TRUE(version);
  EXPECT_EQ(version->echo, 77u);
  EXPECT_EQ(version->lowest, kVersion);
  EXPECT_EQ(version->highest, kVersion);
}

TEST_F(Handshake, GivesUpOnAServerOfOtherVersions) {
  RecordingClient events;
  const auto nonce = [] { return 77; };
  datagram::Client client(options, server_address, nonce, events);
  client.connect("ann", now);
  client.on_datagram(Bytes(VersionReply{76, 2, 3}), now);
  EXPECT_TRUE(events.log.empty());
  client.on_datagram(Bytes(VersionReply{77, 2, 3}), now);
  EXPECT_EQ(events.log, std::vector<std::string>{"left version the server speaks versions 2 to 3"});
}

TEST_F(Handshake, LimitsAnswersToStrays) {
  options.stray_rate = 5;
  start_server();
  Header header;
  header.session = 1;
  std::string ack(kHeaderSize, '\0');
  encode_header(header, ack.data());
  std::size_t resets = 0;
  for (int i = 0; i < 20; ++i) resets += Ask(home, ack).size();
  EXPECT_EQ(resets, 5u);
  now += 1s;
  EXPECT_EQ(Ask(home, ack), std::vector<std::string>{Bytes(Reset{1})});
}

TEST_F(Handshake, CostsLittleMemoryPerSession) {
  // Not measured but counted: sizes that a change could double unseen.
  EXPECT_LE(sizeof(Session), 640u);
}

TEST_F(Handshake, CountsSessionsThatTheirClientsMayNotKnowOf) {
  start_server();
  Client& ann = add_client();
  RunUntil([&] { return served.sessions.size() == 1; }, 1s);
  EXPECT_EQ(server->unconfirmed(), 1u);
  RunUntil([&] { return heard_of(ann); }, 1s);
  EXPECT_EQ(server->unconfirmed(), 0u);
  Client& bob = add_client("bob");
  RunUntil([&] { return served.sessions.size() == 2; }, 1s);
  bob.cut_off = true;
  EXPECT_EQ(server->unconfirmed(), 1u);
  Run(options.connect_timeout + 100ms);
  EXPECT_EQ(server->size(), 1u);
  EXPECT_EQ(server->unconfirmed(), 0u);
}

}  // namespace
}  // namespace netkit::datagram
