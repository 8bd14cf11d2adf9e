#include "support/udp_fixture.hpp"

#include <deque>
#include <map>

#include <gtest/gtest.h>

#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/interfaces.hpp>

namespace netkit {
namespace {

using test::hear;
using test::is_empty;
using test::open_udp;
using test::texts;

class Sending : public testing::Test {
 protected:
  void Queue(const UdpSocket& to, const std::string& text) { QueueTo(to.local(), text); }
  void QueueTo(const Endpoint& to, const std::string& text) {
    sender_.add(to, texts_.emplace_back(text));
  }
  void Flush() { EXPECT_EQ(sender_.flush(socket_), 0u); }
  const DatagramSenderCounters& Counters() const { return sender_.counters(); }
  void ExpectHeard(UdpSocket& socket, const std::vector<std::string>& expected) {
    EXPECT_EQ(texts(hear(socket, expected.size())), expected);
    EXPECT_TRUE(is_empty(socket));
  }
  void CatchRefusals() {
    sender_.on_refused([this](const Endpoint& to, int error) { refusals_.push_back({to, error}); });
  }
  void Group() { sender_ = DatagramSender({.group = true}); }

  UdpSocket socket_ = open_udp();
  DatagramSender sender_;
  std::deque<std::string> texts_;
  std::vector<std::pair<Endpoint, int>> refusals_;
};

TEST_F(Sending, DeliversInOrder) {
  UdpSocket peer = open_udp();
  std::vector<std::string> sent;
  for (int i = 0; i < 300; ++i) {
    sent.push_back(std::to_string(i * 37 % 1000));
    Queue(peer, sent.back());
  }
  EXPECT_EQ(sender_.queued(), 300u);
  Flush();
  EXPECT_EQ(sender_.queued(), 0u);
  ExpectHeard(peer, sent);
  EXPECT_EQ(Counters().datagrams, 300u);
}

TEST_F(Sending, PutsDatagramsOfOneSizeTogether) {
  UdpSocket peer = open_udp({.gro = true});
  for (int i = 0; i < 64; ++i) Queue(peer, "same");
  Queue(peer, "end");
  Flush();
  DatagramReceiver receiver;
  const auto result = receiver.receive(peer);
  ASSERT_EQ(result.messages.size(), 2u);
  EXPECT_EQ(result.messages[0].segments(), 64u);
  EXPECT_EQ(result.messages[1].data, "end");
  EXPECT_EQ(Counters().system_calls, 1u);
  EXPECT_EQ(Counters().bytes, 64u * 4 + 3);
}

TEST_F(Sending, LetsAShorterOneEndARun) {
  UdpSocket peer = open_udp({.gro = true});
  for (const char* text : {"aaaa", "bbbb", "cc", "dddd", "eeee"}) Queue(peer, text);
  Flush();
  DatagramReceiver receiver;
  const auto result = receiver.receive(peer);
  ASSERT_EQ(result.messages.size(), 2u);
  EXPECT_EQ(result.messages[0].data, "aaaabbbbcc");
  EXPECT_EQ(result.messages[1].data, "ddddeeee");
}

TEST_F(Sending, KeepsEverySizeThatIsMixed) {
  UdpSocket peer = open_udp();
  std::vector<std::string> sent;
  for (const std::size_t size :
       {5u, 5u, 0u, 0u, 3u, 3u, 3u, 9u, 65507u, 1u, 1u, 40000u, 40000u, 2u}) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    Queue(peer, sent.back());
  }
  Flush();
  ExpectHeard(peer, sent);
}

TEST_F(Sending, JoinsHeadAndBody) {
  UdpSocket peer = open_udp();
  sender_.add(peer.local(), "1:", "shared");
  sender_.add(peer.local(), "2:", "shared");
  sender_.add(peer.local(), "3:");
  sender_.add(peer.local(), {}, "body");
  Flush();
  ExpectHeard(peer, {"1:shared", "2:shared", "3:", "body"});
}

TEST_F(Sending, GroupsByPeerAndKeepsTheOrderOfEach) {
  Group();
  std::vector<UdpSocket> peers;
  peers.reserve(5);
  for (int i = 0; i < 5; ++i) peers.push_back(open_udp({.gro = true}));
  for (int i = 0; i < 100; ++i)
    Queue(peers[static_cast<std::size_t>(i) % 5], std::to_string(100 + i));
  Flush();
  for (std::size_t peer = 0; peer < 5; ++peer) {
    DatagramReceiver receiver;
    const auto result = receiver.receive(peers[peer]);
    ASSERT_EQ(result.messages.size(), 1u) << "one UDP_SEGMENT message each";
    std::size_t number = 100 + peer;
    for_each_datagram(result.messages[0], [&](std::string_view text) {
      EXPECT_EQ(text, std::to_string(number));
      number += 5;
    });
    EXPECT_EQ(number, 200 + peer);
  }
}

TEST_F(Sending, GroupsThousandsOfPeers) {
  sender_ = DatagramSender({.group = true, .max_queue = 10'000});
  UdpSocket catcher = open_udp({}, "0.0.0.0:0");
  std::map<std::string, std::vector<std::string>> heard;
  const auto address_of = [&](int i) {
    return Endpoint(*IpAddress::parse("127.1." + std::to_string(i % 1000 / 250) + "." +
                                      std::to_string(i % 250 + 1)),
                    catcher.local().port());
  };
  for (int i = 0; i < 4000; ++i) QueueTo(address_of(i), std::to_string(10'000 + i));
  EXPECT_EQ(sender_.flush(socket_), 0u);
  EXPECT_EQ(hear(catcher, 4000).size(), 4000u);
  EXPECT_LT(Counters().system_calls, 100u);
}

TEST_F(Sending, EchoesASuperPacketWithOneCall) {
  UdpSocket peer = open_udp({.gro = true});
  const std::string data(64'000, 'x');
  sender_.add_segments(peer.local(), data, 1000);
  EXPECT_EQ(sender_.queued(), 64u);
  Flush();
  EXPECT_EQ(Counters().system_calls, 1u);
  EXPECT_EQ(Counters().datagrams, 64u);
  EXPECT_EQ(hear(peer, 64).size(), 64u);
}

TEST_F(Sending, CutsSuperPacketsThatAreTooLong) {
  UdpSocket peer = open_udp();
  std::string data;
  std::vector<std::string> expected;
  for (int i = 0; i < 150; ++i) {
    expected.push_back(std::to_string(1000 + i));
    data += expected.back();
  }
  expected.emplace_back("x");
  data += "x";
  sender_.add_segments(peer.local(), data, 4);
  Flush();
  ExpectHeard(peer, expected);
}

TEST_F(Sending, SendsSegmentsOfAnySize) {
  UdpSocket peer = open_udp();
  const std::string data(130'000, 'x');
  sender_.add_segments(peer.local(), data, 40'000);
  sender_.add_segments(peer.local(), "abc", 0);
  sender_.add_segments(peer.local(), "abc", 3);
  Flush();
  ExpectHeard(peer, {data.substr(0, 40'000), data.substr(0, 40'000), data.substr(0, 40'000),
                     data.substr(0, 10'000), "abc", "abc"});
}

TEST_F(Sending, NeverGivesPortZeroToTheKernel) {
  UdpSocket peer = open_udp();
  CatchRefusals();
  Queue(peer, "one");
  QueueTo(peer.local().with_port(0), "forged");
  Queue(peer, "two");
  Flush();
  ExpectHeard(peer, {"one", "two"});
  EXPECT_EQ(Counters().refused, 1u);
  ASSERT_EQ(refusals_.size(), 1u);
  EXPECT_EQ(refusals_[0].second, EINVAL);
  EXPECT_EQ(Counters().system_calls, 2u);
}

TEST_F(Sending, GoesOnBehindARefusedMessage) {
  UdpSocket peer = open_udp();
  CatchRefusals();
  Queue(peer, "one");
  QueueTo(test::loopback("255.255.255.255:9"), "forged broadcast");
  QueueTo(test::loopback("240.0.0.1:9"), "no route");
  Queue(peer, "two");
  Flush();
  ExpectHeard(peer, {"one", "two"});
  EXPECT_EQ(Counters().refused, 2u);
  EXPECT_EQ(refusals_.size(), 2u);
  EXPECT_EQ(Counters().datagrams, 2u);
}

TEST_F(Sending, CountsWhatIsTooBig) {
  UdpSocket peer = open_udp();
  Queue(peer, std::string(65'508, 'x'));
  Queue(peer, "fits");
  Flush();
  ExpectHeard(peer, {"fits"});
  EXPECT_EQ(Counters().too_big, 1u);
}

TEST_F(Sending, TriesAgainWhatTheErrorOfAnEarlierOneInterrupted) {
  UdpSocket peer = open_udp();
  const int on = 1;
  ::setsockopt(socket_.fd(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  const Endpoint nobody = open_udp().local();
  socket_.send_to("x", nobody);  // its ICMP error waits in the socket now
  Queue(peer, "healthy");
  Flush();
  ExpectHeard(peer, {"healthy"});
  EXPECT_EQ(Counters().interrupted, 1u);
  EXPECT_EQ(Counters().refused, 0u);
}

TEST_F(Sending, RefusedPeersDoNotHurtHealthyOnes) {
  UdpSocket peer = open_udp();
  const int on = 1;
  ::setsockopt(socket_.fd(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  const Endpoint nobody = open_udp().local();
  std::vector<std::string> expected;
  for (int round = 0; round < 50; ++round) {
    QueueTo(nobody, "lost");
    expected.push_back(std::to_string(round));
    Queue(peer, expected.back());
  }
  Flush();
  ExpectHeard(peer, expected);
}

TEST_F(Sending, TellsAConnectedClientThatItsPeerIsGone) {
  const Endpoint nobody = open_udp().local();
  socket_.connect(nobody);
  CatchRefusals();
  QueueTo(nobody, "one");
  Flush();
  QueueTo(nobody, "two");
  Flush();
  ASSERT_EQ(refusals_.size(), 1u);
  EXPECT_EQ(refusals_[0], (std::pair{nobody, ECONNREFUSED}));
}

TEST_F(Sending, SendsToThePeerOfAConnectedSocket) {
  UdpSocket peer = open_udp();
  socket_.connect(peer.local());
  QueueTo(Endpoint(), "to whom it may concern");
  Flush();
  ExpectHeard(peer, {"to whom it may concern"});
}

TEST_F(Sending, AnswersFromTheAddressThatWasAsked) {
  UdpSocket peer = open_udp({}, "0.0.0.0:0");
  UdpSocket server = open_udp({}, "0.0.0.0:0");
  const Endpoint to(IpAddress::loopback(IpAddress::Family::v4), peer.local().port());
  for (const char* source : {"127.0.0.5", "127.0.0.5", "127.0.0.6"}) {
    sender_.add(to, "same", {}, {*IpAddress::parse(source)});
  }
  EXPECT_EQ(sender_.flush(server), 0u);
  const auto heard = hear(peer, 3);
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[0].from.address().to_string(), "127.0.0.5");
  EXPECT_EQ(heard[1].from.address().to_string(), "127.0.0.5");
  EXPECT_EQ(heard[2].from.address().to_string(), "127.0.0.6");
}

TEST_F(Sending, AnswersASuperPacketFromTheAddressThatWasAsked) {
  UdpSocket peer = open_udp();
  UdpSocket server = open_udp({}, "0.0.0.0:0");
  sender_.add_segments(peer.local(), "aabbc", 2, {*IpAddress::parse("127.0.0.5")});
  EXPECT_EQ(sender_.flush(server), 0u);
  const auto heard = hear(peer, 3);
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[2].text, "c");
  for (const auto& datagram : heard) {
    EXPECT_EQ(datagram.from.address().to_string(), "127.0.0.5");
  }
}

TEST_F(Sending, SendsOneByOneWhenToldTo) {
  sender_ = DatagramSender({.coalesce = false});
  UdpSocket peer = open_udp({.gro = true});
  for (int i = 0; i < 5; ++i) Queue(peer, "same");
  Flush();
  DatagramReceiver receiver;
  EXPECT_EQ(receiver.receive(peer).messages.size(), 5u);
}

TEST_F(Sending, SurvivesASourceThatIsNotOurs) {
  UdpSocket peer = open_udp();
  for (int i = 0; i < 3; ++i)
    sender_.add(peer.local(), "gone", {}, {*IpAddress::parse("192.0.2.1")});
  Queue(peer, "next");
  Flush();
  ExpectHeard(peer, {"next"});
  EXPECT_EQ(Counters().refused, 3u);
}

TEST_F(Sending, AnswersOverIpv6) {
  UdpSocket peer = open_udp({.gro = true}, "[::1]:0");
  UdpSocket server = open_udp({}, "[::1]:0");
  for (int i = 0; i < 3; ++i)
    sender_.add(peer.local(), "v6", {}, {*IpAddress::parse("::1"), find_interface("lo").index});
  EXPECT_EQ(sender_.flush(server), 0u);
  ExpectHeard(peer, {"v6", "v6", "v6"});
}

TEST_F(Sending, AnswersIpv4OnASocketOfBothFamilies) {
  UdpSocket server = test::open_udp_of_both_families();
  UdpSocket peer = open_udp({.ecn = true}, "0.0.0.0:0");
  ASSERT_TRUE(
      peer.send_to("ask", test::loopback("127.0.0.5:" + std::to_string(server.local().port())))
          .ok());
  const Endpoint asker = hear(server, 1).at(0).from;
  sender_.add(asker, "from where it was asked", {}, {*IpAddress::parse("127.0.0.5")});
  sender_.add(asker, "by lo", {}, {{}, find_interface("lo").index});
  EXPECT_EQ(sender_.flush(server), 0u);
  const auto heard = hear(peer, 2);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].from.address().to_string(), "127.0.0.5");
  EXPECT_EQ(heard[1].text, "by lo");
  sender_.add(asker, "may be marked", {}, {}, true);
  EXPECT_EQ(sender_.flush(server), 0u);
  ASSERT_TRUE(test::wait_readable(peer));
  DatagramReceiver receiver;
  EXPECT_EQ(receiver.receive(peer).messages[0].ecn, 2);
}

TEST_F(Sending, DropsAndCountsWhatIsOverItsLimit) {
  sender_ = DatagramSender({.max_queue = 2});
  UdpSocket peer = open_udp();
  Queue(peer, "one");
  EXPECT_FALSE(sender_.full());
  Queue(peer, "two");
  EXPECT_TRUE(sender_.full());
  Queue(peer, "three");
  Flush();
  ExpectHeard(peer, {"one", "two"});
  EXPECT_EQ(Counters().no_room, 1u);
}

TEST_F(Sending, CountsWhatIsGivenUp) {
  UdpSocket peer = open_udp();
  Queue(peer, "one");
  sender_.add_segments(peer.local(), "aabbc", 2);
  sender_.drop_queued();
  Flush();
  EXPECT_TRUE(is_empty(peer));
  EXPECT_EQ(Counters().no_room, 4u);
}

}  // namespace
}  // namespace netkit
