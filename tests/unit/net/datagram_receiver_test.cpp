#include "support/udp_fixture.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/interfaces.hpp>

namespace netkit {
namespace {

using test::hear;
using test::open_udp;
using test::texts;
using test::wait_readable;

std::size_t ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

TEST(DatagramReceiverTest, SaysThatNothingIsThere) {
  UdpSocket socket = open_udp();
  DatagramReceiver receiver;
  const auto result = receiver.receive(socket);
  EXPECT_EQ(result.error, EAGAIN);
  EXPECT_TRUE(result.messages.empty());
}

TEST(DatagramReceiverTest, TakesABatchInOrder) {
  UdpSocket server = open_udp();
  UdpSocket client = open_udp();
  for (int i = 0; i < 100; ++i) client.send_to(std::to_string(i), server.local());
  DatagramReceiver receiver(64);
  std::vector<std::string> heard;
  for (const std::size_t expected : {64u, 36u}) {
    const auto result = receiver.receive(server);
    ASSERT_EQ(result.messages.size(), expected);
    for (const ReceivedMessage& message : result.messages) {
      EXPECT_EQ(*message.peer, client.local());
      EXPECT_EQ(message.segments(), 1u);
      heard.emplace_back(message.data);
    }
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(heard[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST(DatagramReceiverTest, TakesEverySizeThereIs) {
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    UdpSocket server = open_udp({}, address);
    UdpSocket client = open_udp({}, address);
    for (const std::size_t size : {0u, 1u, 1200u, 65507u}) {
      const std::string sent(size, 'x');
      ASSERT_TRUE(client.send_to(sent, server.local()).ok());
      EXPECT_EQ(texts(hear(server, 1)), std::vector<std::string>{sent});
    }
  }
}

TEST(DatagramReceiverTest, MarksWhatIsLongerThanItsBuffer) {
  UdpSocket server = open_udp();
  UdpSocket client = open_udp();
  client.send_to("12345", server.local());
  client.send_to("123", server.local());
  DatagramReceiver receiver(4, 3);
  const auto result = receiver.receive(server);
  ASSERT_EQ(result.messages.size(), 2u);
  EXPECT_TRUE(result.messages[0].truncated);
  EXPECT_EQ(result.messages[0].data, "123");
  EXPECT_FALSE(result.messages[1].truncated);
}

TEST(DatagramReceiverTest, TellsTheDestinationAndTheInterface) {
  UdpSocket server = open_udp({.packet_info = true}, "0.0.0.0:0");
  UdpSocket client = open_udp();
  client.send_to("x", Endpoint(*IpAddress::parse("127.0.0.9"), server.local().port()));
  DatagramReceiver receiver;
  const auto result = receiver.receive(server);
  ASSERT_EQ(result.messages.size(), 1u);
  EXPECT_EQ(result.messages[0].destination.to_string(), "127.0.0.9");
  EXPECT_EQ(result.messages[0].interface_index, find_interface("lo").index);
}

TEST(DatagramReceiverTest, TellsTheDestinationOverIpv6) {
  UdpSocket server = open_udp({.packet_info = true}, "[::]:0");
  UdpSocket client = open_udp({}, "[::1]:0");
  client.send_to("x", Endpoint(*IpAddress::parse("::1"), server.local().port()));
  DatagramReceiver receiver;
  const auto result = receiver.receive(server);
  ASSERT_EQ(result.messages.size(), 1u);
  EXPECT_EQ(result.messages[0].destination.to_string(), "::1");
}

TEST(DatagramReceiverTest, TakesASuperPacketWhole) {
  UdpSocket server = open_udp({.gro = true});
  UdpSocket client = open_udp();
  DatagramSender sender;
  const std::string data(10 * 100 + 7, 'x');
  sender.add_segments(server.local(), data, 100);
  ASSERT_EQ(sender.flush(client), 0u);
  DatagramReceiver receiver;
  const auto result = receiver.receive(server);
  ASSERT_EQ(result.messages.size(), 1u);
  EXPECT_EQ(result.messages[0].segment_size, 100u);
  EXPECT_EQ(result.messages[0].segments(), 11u);
  EXPECT_EQ(result.messages[0].data, data);
}

TEST(ForEachDatagram, CutsASuperPacket) {
  ReceivedMessage message;
  message.data = "aabbc";
  message.segment_size = 2;
  std::vector<std::string> seen;
  for_each_datagram(message, [&](std::string_view datagram) { seen.emplace_back(datagram); });
  EXPECT_EQ(seen, (std::vector<std::string>{"aa", "bb", "c"}));
}

TEST(ForEachDatagram, VisitsAnEmptyDatagram) {
  int seen = 0;
  for_each_datagram(ReceivedMessage{}, [&](std::string_view) { ++seen; });
  EXPECT_EQ(seen, 1);
}

TEST(DatagramReceiverTest, CountsWhatTheKernelDropped) {
  UdpSocket server = open_udp({.receive_buffer = 4096});
  UdpSocket other = open_udp({.receive_buffer = 4096});
  UdpSocket client = open_udp();
  const std::string big(1000, 'x');
  DatagramReceiver receiver;
  std::uint64_t heard = 0;
  for (UdpSocket* socket : {&server, &other}) {
    for (int i = 0; i < 1000; ++i) client.send_to(big, socket->local());
    for (auto result = receiver.receive(*socket); result.error == 0;
         result = receiver.receive(*socket)) {
      heard += result.messages.size();
    }
    // The count comes with the next datagram that is let in.
    client.send_to("last", socket->local());
    ASSERT_TRUE(wait_readable(*socket));
    receiver.receive(*socket);
  }
  EXPECT_GT(receiver.kernel_drops(), 1000u);
  EXPECT_EQ(heard + receiver.kernel_drops(), 2000u);
}

TEST(DatagramReceiverTest, CostsLittleMemoryForShortDatagrams) {
  UdpSocket server = open_udp();
  UdpSocket client = open_udp();
  const std::size_t before = ResidentKilobytes();
  DatagramReceiver receiver(64);
  for (int i = 0; i < 64; ++i) client.send_to("short", server.local());
  EXPECT_EQ(receiver.receive(server).messages.size(), 64u);
  EXPECT_LT(ResidentKilobytes() - before, 1024u) << "the buffers are 4 MiB";
}

}  // namespace
}  // namespace netkit
