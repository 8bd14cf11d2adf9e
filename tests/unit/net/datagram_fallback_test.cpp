// What a DatagramSender does where UDP_SEGMENT or the socket says no.
#include "support/private_network.hpp"
#include "support/udp_fixture.hpp"

#include <array>
#include <cerrno>
#include <numeric>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <netkit/net/datagram_sender.hpp>

namespace netkit {
namespace {

using test::hear;
using test::open_udp;
using test::texts;

std::vector<std::string> Numbered(std::size_t count, std::size_t size) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(std::to_string(1000 + i) + std::string(size - 4, 'x'));
  }
  return all;
}

void AddAll(DatagramSender& sender, const Endpoint& to, const std::vector<std::string>& all) {
  for (const std::string& text : all) sender.add(to, text);
}

#define IN_PRIVATE_NETWORK(mtu, body)                                                   \
  const int result = test::in_private_network(mtu, body);                               \
  if (result == test::kNoNamespace) GTEST_SKIP() << "no network namespace can be made"; \
  EXPECT_EQ(result, 0)

TEST(SegmentsOverTheMtu, AreSentOneByOne) {
  const auto body = [] {
    UdpSocket peer = open_udp();
    UdpSocket socket = open_udp();
    DatagramSender sender;
    const auto sent = Numbered(20, 3000);
    AddAll(sender, peer.local(), sent);
    EXPECT_EQ(sender.flush(socket), 0u);
    EXPECT_TRUE(texts(hear(peer, sent.size())) == sent);
    EXPECT_EQ(sender.counters().datagrams, 20u);
    EXPECT_EQ(sender.counters().refused + sender.counters().too_big, 0u);
  };
  IN_PRIVATE_NETWORK(1500, body);
}

TEST(SegmentsOverTheMtu, AreNotTriedAgainAtOnce) {
  const auto body = [] {
    UdpSocket peer = open_udp();
    UdpSocket socket = open_udp();
    DatagramSender sender;
    const auto sent = Numbered(20, 3000);
    AddAll(sender, peer.local(), sent);
    EXPECT_EQ(sender.flush(socket), 0u);
    EXPECT_EQ(sender.counters().system_calls, 2u);
    AddAll(sender, peer.local(), sent);
    EXPECT_EQ(sender.flush(socket), 0u);
    EXPECT_EQ(sender.counters().system_calls, 3u);
    EXPECT_EQ(hear(peer, 40).size(), 40u);
  };
  IN_PRIVATE_NETWORK(1500, body);
}

TEST(SegmentsOverTheMtu, DoNotStopShorterOnes) {
  const auto body = [] {
    UdpSocket peer = open_udp({.gro = true});
    UdpSocket socket = open_udp();
    DatagramSender sender;
    const auto large = Numbered(3, 3000);
    const auto small = Numbered(30, 1200);
    AddAll(sender, peer.local(), large);
    AddAll(sender, peer.local(), small);
    EXPECT_EQ(sender.flush(socket), 0u);
    DatagramReceiver receiver;
    const auto result = receiver.receive(peer);
    ASSERT_EQ(result.messages.size(), 5u) << "the first short one ended the run of long ones";
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(result.messages[i].data == large[i]);
    EXPECT_EQ(result.messages[3].segments(), 1u);
    EXPECT_EQ(result.messages[4].segments(), 29u);
  };
  IN_PRIVATE_NETWORK(1500, body);
}

TEST(SegmentsOverTheMtu, OfASuperPacketAreSentOneByOne) {
  const auto body = [] {
    UdpSocket peer = open_udp();
    UdpSocket socket = open_udp();
    DatagramSender sender;
    const auto sent = Numbered(21, 3000);
    const std::string whole = std::accumulate(sent.begin(), sent.end(), std::string());
    for (int round = 0; round < 2; ++round) {
      sender.add_segments(peer.local(), whole, 3000);
      sender.add(peer.local(), "behind");
      EXPECT_EQ(sender.flush(socket), 0u);
      auto heard = texts(hear(peer, sent.size() + 1));
      ASSERT_EQ(heard.size(), sent.size() + 1);
      EXPECT_EQ(heard.back(), "behind");
      heard.pop_back();
      EXPECT_TRUE(heard == sent);
    }
  };
  IN_PRIVATE_NETWORK(1500, body);
}

TEST(AnAtomicSocket, FragmentsOnlyWhatTheMtuDoesNotTake) {
  const auto body = [] {
    UdpSocket peer = open_udp();
    UdpSocket socket = open_udp({.atomic = true});
    DatagramSender sender;
    const std::vector<std::string> sent = {"short", std::string(20'000, 'x'), "short", "again"};
    for (int round = 0; round < 2; ++round) {
      AddAll(sender, peer.local(), sent);
      EXPECT_EQ(sender.flush(socket), 0u);
      EXPECT_TRUE(texts(hear(peer, sent.size())) == sent);
      EXPECT_EQ(socket.send_to(sent[1], peer.local()).error, EMSGSIZE);
    }
    EXPECT_EQ(sender.counters().too_big, 0u);
  };
  IN_PRIVATE_NETWORK(1500, body);
}

TEST(AnAtomicSocket, RefusesWhatNoDatagramHolds) {
  UdpSocket peer = open_udp();
  UdpSocket socket = open_udp({.atomic = true});
  DatagramSender sender;
  const std::string too_long(65'508, 'x');
  sender.add(peer.local(), too_long);
  sender.add(peer.local(), "good");
  EXPECT_EQ(sender.flush(socket), 0u);
  EXPECT_EQ(texts(hear(peer, 1)), std::vector<std::string>{"good"});
  EXPECT_EQ(sender.counters().too_big, 1u);
}

// A pair of unix datagram sockets: it blocks when its peer reads nothing, which UDP on loopback
// never does, and it knows no UDP_SEGMENT.
class Blocking : public testing::Test {
 protected:
  Blocking() {
    std::array<int, 2> fds{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, fds.data()) != 0) throw std::bad_alloc();
    socket_ = UdpSocket::adopt(FileDescriptor(fds[0]));
    peer_ = UdpSocket::adopt(FileDescriptor(fds[1]));
  }

  void Add(std::string_view text) { sender_.add(to_, text); }  // which stays
  std::size_t Flush() { return sender_.flush(socket_); }
  void LeaveRoomFor(std::size_t count) {
    while (socket_.send("filler").ok()) {
    }
    EXPECT_EQ(Drain(count).size(), count);
  }
  std::vector<std::string> Drain(std::size_t most = SIZE_MAX) {
    std::vector<std::string> heard;
    char buffer[100];
    while (heard.size() < most) {
      const IoResult got = peer_.receive(buffer, sizeof buffer, nullptr);
      if (!got.ok()) return heard;
      heard.emplace_back(buffer, got.count);
    }
    return heard;
  }

  UdpSocket socket_;
  UdpSocket peer_;
  Endpoint to_ = test::loopback("127.0.0.1:9");
  DatagramSender sender_;
};

TEST_F(Blocking, SaysHowManyAreLeftAndGoesOnLater) {
  const auto sent = Numbered(1000, 4);
  for (const std::string& text : sent) Add(text);
  std::size_t left = Flush();
  ASSERT_GT(left, 0u);
  ASSERT_LT(left, 1000u);
  EXPECT_EQ(sender_.queued(), left);
  std::vector<std::string> heard;
  while (left > 0) {
    const auto more = Drain();
    ASSERT_FALSE(more.empty());
    heard.insert(heard.end(), more.begin(), more.end());
    left = Flush();
  }
  const auto rest = Drain();
  heard.insert(heard.end(), rest.begin(), rest.end());
  EXPECT_TRUE(heard == sent);
  EXPECT_EQ(sender_.counters().datagrams, 1000u);
}

TEST_F(Blocking, PutsWhatIsAddedBehindWhatIsLeft) {
  for (const bool group : {false, true}) {
    sender_ = DatagramSender({.group = group});
    const auto sent = Numbered(2000, 4);
    std::vector<std::string> heard;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      // By the source's way as well, whose table moves along.
      if (i % 3 == 0) {
        sender_.add(to_, sent[i], {}, DatagramSource{});
      } else {
        Add(sent[i]);
      }
      if (i % 50 != 49) continue;
      Flush();
      const auto more = Drain();
      heard.insert(heard.end(), more.begin(), more.end());
    }
    while (sender_.queued() > 0) {
      Flush();
      const auto more = Drain();
      heard.insert(heard.end(), more.begin(), more.end());
    }
    EXPECT_TRUE(heard == sent);
  }
}

TEST_F(Blocking, LeavesTheMiddleOfASuperPacket) {
  const auto sent = Numbered(60, 4);
  const std::string whole = std::accumulate(sent.begin(), sent.end(), std::string());
  sender_ = DatagramSender({.group = true});
  LeaveRoomFor(25);
  sender_.add_segments(to_, whole, 4);
  std::vector<std::string> heard;
  std::size_t left = Flush();
  ASSERT_EQ(left, 35u);
  Add("last");
  while (left > 0) {
    const auto more = Drain();
    heard.insert(heard.end(), more.begin(), more.end());
    left = Flush();
  }
  const auto more = Drain();
  heard.insert(heard.end(), more.begin(), more.end());
  std::erase(heard, "filler");
  ASSERT_EQ(heard.size(), 61u);
  EXPECT_EQ(heard.back(), "last");
  heard.pop_back();
  EXPECT_TRUE(heard == sent);
}

TEST_F(Blocking, DropsWhatIsLeftWhenTold) {
  const auto sent = Numbered(1000, 4);
  for (const std::string& text : sent) Add(text);
  const std::size_t left = Flush();
  sender_.drop_queued();
  EXPECT_EQ(sender_.counters().no_room, left);
  EXPECT_EQ(Flush(), 0u);
  EXPECT_EQ(Drain().size(), 1000 - left);
}

}  // namespace
}  // namespace netkit
