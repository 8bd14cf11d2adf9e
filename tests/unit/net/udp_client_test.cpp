#include "support/udp_fixture.hpp"

#include <cerrno>
#include <functional>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <netkit/net/udp_client.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using test::hear;
using test::open_udp;

class UdpClientTest : public testing::Test, public UdpClient::Handler {
 protected:
  void connect(const std::vector<Endpoint>& addresses) {
    client_.emplace(loop_, addresses, *this, options_);
  }
  void say(std::string_view text) {
    said_ = text;
    client_->send_now(said_);
  }
  void run_until(const std::function<bool()>& done) {
    const TimePoint end = clock_.now() + std::chrono::seconds(5);
    while (!done() && clock_.now() < end) loop_.run_once(std::chrono::milliseconds(100));
    EXPECT_TRUE(done());
  }
  static Endpoint closed(const char* address = "127.0.0.1:0") {
    return open_udp({}, address).local();
  }
  // The other end answers what it hears.
  static void echo(UdpSocket& server) {
    for (const test::Heard& one : hear(server, 1)) server.send_to(one.text, one.from);
  }

  // The system refuses (EPIPE) what the socket that is connected to `peer` sends from now on.
  static void stop_sending_to(const Endpoint& peer) {
    int found = 0;
    for (int fd = 3; fd < 100; ++fd) {
      Endpoint other;
      socklen_t size = Endpoint::capacity();
      if (::getpeername(fd, other.data(), &size) != 0 || other != peer) continue;
      ++found;
      EXPECT_EQ(::shutdown(fd, SHUT_WR), 0);
    }
    EXPECT_EQ(found, 1);
  }

  void on_datagram(std::string_view datagram) override { heard_.emplace_back(datagram); }
  void on_next_address(int error) override {
    moved_for_ = error;
    client_->send_now(said_);
  }
  void on_refused(int error) override { refused_ = error; }

  SystemClock clock_;
  EventLoop loop_{clock_};
  UdpClient::Options options_;
  std::optional<UdpClient> client_;
  std::string said_;
  std::vector<std::string> heard_;
  int moved_for_ = 0;
  int refused_ = 0;
};

TEST_F(UdpClientTest, SendsAndHears) {
  UdpSocket server = open_udp();
  connect({server.local()});
  say("hello");
  echo(server);
  run_until([&] { return !heard_.empty(); });
  EXPECT_EQ(heard_, std::vector<std::string>{"hello"});
}

TEST_F(UdpClientTest, SendsABatch) {
  UdpSocket server = open_udp();
  connect({server.local()});
  for (int i = 0; i < 64; ++i) client_->send("head", "body");
  EXPECT_TRUE(client_->flush());
  EXPECT_EQ(hear(server, 64).size(), 64u);
  EXPECT_EQ(client_->sent().system_calls, 1u);
}

TEST_F(UdpClientTest, TriesTheNextAddressWhereOneRefuses) {
  UdpSocket server = open_udp();
  connect({closed(), closed("127.0.0.2:0"), server.local()});
  say("hello");
  run_until([&] { return client_->peer() == server.local(); });
  EXPECT_EQ(moved_for_, ECONNREFUSED);
  echo(server);
  run_until([&] { return !heard_.empty(); });
  EXPECT_EQ(refused_, 0);
}

TEST_F(UdpClientTest, HearsTheRefusalOfTheLastAddress) {
  connect({closed(), closed("127.0.0.2:0")});
  say("hello");
  run_until([&] { return refused_ != 0; });
  EXPECT_EQ(refused_, ECONNREFUSED);
}

TEST_F(UdpClientTest, StaysWithWhoAnswered) {
  std::optional<UdpSocket> server = open_udp();
  UdpSocket other = open_udp();
  connect({server->local(), other.local()});
  const Endpoint first = client_->peer();
  say("hello");
  echo(*server);
  run_until([&] { return !heard_.empty(); });
  server.reset();
  say("are you there?");
  run_until([&] { return refused_ != 0; });
  EXPECT_EQ(client_->peer(), first);
  client_->start_over();
  say("anybody?");
  run_until([&] { return client_->peer() == other.local(); });
}

TEST_F(UdpClientTest, HearsTheRefusalOfAQueuedDatagram) {
  connect({closed()});
  client_->send("one");
  client_->flush();
  run_until([&] { return refused_ != 0; });
  EXPECT_EQ(refused_, ECONNREFUSED);
}

// As where a firewall of this machine lets nothing out to an address.
TEST_F(UdpClientTest, OneAddressThatFailsForSeveralDatagramsIsLeftOnce) {
  UdpSocket server = open_udp();
  connect({closed(), server.local()});
  stop_sending_to(client_->peer());
  client_->send("one");
  client_->send("two");
  client_->flush();
  EXPECT_EQ(client_->peer(), server.local());
  EXPECT_EQ(moved_for_, EPIPE);
  EXPECT_EQ(refused_, 0);
}

TEST_F(UdpClientTest, SaysThatADatagramIsTooLong) {
  UdpSocket server = open_udp();
  connect({server.local()});
  EXPECT_EQ(client_->send_now(std::string(65'508, 'x')), EMSGSIZE);
  EXPECT_EQ(refused_, 0);
}

TEST_F(UdpClientTest, LeavesFromTheAddressItIsBoundTo) {
  UdpSocket server = open_udp();
  const Endpoint local = closed("127.0.0.3:0");
  options_.sources = read_sources(local.to_string());
  connect({server.local()});
  say("hello");
  EXPECT_EQ(hear(server, 1).front().from, local);
}

TEST_F(UdpClientTest, LeavesFromAPortAlone) {
  UdpSocket server = open_udp();
  const std::uint16_t port = closed().port();
  options_.sources = read_sources(":" + std::to_string(port));
  connect({server.local()});
  say("hello");
  EXPECT_EQ(hear(server, 1).front().from.port(), port);
}

TEST_F(UdpClientTest, CannotReachAnotherFamilyThanItIsBoundTo) {
  options_.sources = read_sources("127.0.0.1");
  EXPECT_THROW(connect({*Endpoint::parse("[::1]:9")}), SystemError);
}

}  // namespace
}  // namespace netkit
