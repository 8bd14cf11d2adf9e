#include "support/udp_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using test::hear;
using test::is_empty;
using test::open_udp;
using test::texts;

int Option(const UdpSocket& socket, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(socket.fd(), SOL_SOCKET, name, &value, &size);
  return value;
}

TEST(UdpSocketTest, IsNonBlockingAndNotInherited) {
  const UdpSocket socket = open_udp();
  EXPECT_TRUE(::fcntl(socket.fd(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(socket.fd(), F_GETFD) & FD_CLOEXEC);
  EXPECT_NE(socket.local().port(), 0);
}

TEST(UdpSocketTest, SaysThatAnAddressIsInUse) {
  const UdpSocket first = open_udp();
  try {
    const UdpSocket second = UdpSocket::bound(first.local());
    FAIL() << "two sockets on " << second.local().to_string();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.what(),
              "cannot bind udp " + first.local().to_string() + ": address already in use");
    EXPECT_EQ(error.status(), ExitStatus::unreachable);
  }
}

TEST(UdpSocketTest, SharesItsPortOnlyWhenAsked) {
  const UdpSocket first = open_udp({.share_port = true});
  EXPECT_NO_THROW(UdpSocket::bound(first.local(), {.share_port = true}));
  EXPECT_THROW(UdpSocket::bound(first.local()), SystemError);
  const UdpSocket worker = open_udp({.reuse_port = true});
  EXPECT_NO_THROW(UdpSocket::bound(worker.local(), {.reuse_port = true}));
}

TEST(UdpSocketTest, LeavesV4ToV4Sockets) {
  // The port of one attempt may be another program's on IPv4.
  bool left = false;
  for (int attempt = 0; attempt < 20 && !left; ++attempt) {
    const UdpSocket v6 = open_udp({}, "[::]:0");
    try {
      UdpSocket::bound(Endpoint(IpAddress(), v6.local().port()));
      left = true;
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EADDRINUSE);
    }
  }
  EXPECT_TRUE(left);
}

TEST(UdpSocketTest, HasTheReceiveBufferThatWasAskedForAsFarAsItMay) {
  const int without = Option(open_udp({.receive_buffer = 0}), SO_RCVBUF);
  EXPECT_GT(Option(open_udp({.receive_buffer = 4 << 20}), SO_RCVBUF), without);
}

TEST(UdpSocketTest, SendsAndReceives) {
  UdpSocket server = open_udp();
  UdpSocket client = open_udp();
  EXPECT_EQ(client.send_to("hello", server.local()).count, 5u);
  char buffer[3];
  Endpoint from;
  const IoResult got = server.receive(buffer, sizeof buffer, &from);
  EXPECT_EQ(got.count, 5u) << "the size of the datagram, not of the buffer";
  EXPECT_EQ(std::string(buffer, 3), "hel");
  EXPECT_EQ(from, client.local());
  EXPECT_TRUE(server.receive(buffer, sizeof buffer, &from).would_block());
}

TEST(UdpSocketTest, TellsAConnectedSocketThatItsPeerIsGone) {
  const Endpoint nobody = open_udp().local();
  UdpSocket client = open_udp();
  client.connect(nobody);
  EXPECT_TRUE(client.connected());
  EXPECT_TRUE(client.send("x").ok());
  EXPECT_EQ(client.send("x").error, ECONNREFUSED);
}

TEST(UdpSocketTest, ReportsTooBigADatagramAndThePathMtu) {
  UdpSocket server = open_udp();
  UdpSocket client = open_udp();
  client.connect(server.local());
  EXPECT_EQ(client.send(std::string(65508, 'x')).error, EMSGSIZE);
  EXPECT_EQ(client.path_mtu(), std::min(find_interface("lo").mtu, 65535u)) << "IPv4's largest";
}

TEST(UdpSocketTest, TakesOverASocket) {
  UdpSocket first = open_udp();
  const Endpoint local = first.local();
  const int fd = ::fcntl(first.fd(), F_DUPFD, 0);
  ::fcntl(fd, F_SETFL, 0);
  const UdpSocket second = UdpSocket::adopt(FileDescriptor(fd));
  EXPECT_EQ(second.local(), local);
  EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST(UdpSocketTest, HearsTheGroupThatItJoined) {
  UdpSocket listener = open_udp({.share_port = true}, "0.0.0.0:0");
  const IpAddress group = *IpAddress::parse("239.255.77.1");
  const unsigned loopback = find_interface("lo").index;
  listener.join_group(group, loopback);
  EXPECT_NO_THROW(listener.join_group(group, loopback)) << "is a member already";
  UdpSocket sender = open_udp();
  sender.set_multicast_interface(loopback);
  sender.set_multicast_ttl(0);
  sender.set_multicast_loop(true);
  EXPECT_TRUE(sender.send_to("all", Endpoint(group, listener.local().port())).ok());
  EXPECT_EQ(texts(hear(listener, 1)), std::vector<std::string>{"all"});
}

TEST(UdpSocketTest, HearsAGroupFromOneSourceOnly) {
  UdpSocket listener = open_udp({.share_port = true}, "0.0.0.0:0");
  const IpAddress group = *IpAddress::parse("232.1.77.1");
  const unsigned loopback = find_interface("lo").index;
  listener.join_group(group, loopback, *IpAddress::parse("127.0.0.2"));
  const Endpoint to(group, listener.local().port());
  for (const char* source : {"127.0.0.3:0", "127.0.0.2:0"}) {
    UdpSocket sender = open_udp({}, source);
    sender.set_multicast_interface(loopback);
    EXPECT_TRUE(sender.send_to(source, to).ok());
  }
  EXPECT_EQ(texts(hear(listener, 1)), std::vector<std::string>{"127.0.0.2:0"});
  EXPECT_TRUE(is_empty(listener));
}

TEST(UdpSocketTest, SaysWhichGroupItCannotJoin) {
  UdpSocket socket = open_udp();
  try {
    socket.join_group(*IpAddress::parse("10.0.0.1"), 0);
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "cannot join 10.0.0.1: invalid argument");
  }
}

}  // namespace
}  // namespace netkit
