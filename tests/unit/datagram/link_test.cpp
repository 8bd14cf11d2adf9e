#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/datagram/link.hpp>
#include <netkit/util/error.hpp>

namespace netkit::datagram {
namespace {

Endpoint loopback() {
  return {IpAddress::loopback(IpAddress::Family::v4), 0};
}

AddressSpec spec_of(const Endpoint& address) {
  return AddressSpec::parse(address.to_string(), AddressRole::client);
}

// Asks once an attempt; any answer will do.
class LinkTest : public testing::Test, public Driver::Handler, public Link::Handler {
 protected:
  void Start(std::vector<AddressSpec> servers, std::uint64_t reconnect = Reconnect::kNever) {
    Link::Options options;
    options.servers = std::move(servers);
    options.reconnect.limit = reconnect;
    link.emplace(loop, log, std::move(options), static_cast<Driver::Handler&>(*this),
                 static_cast<Link::Handler&>(*this));
    link->start();
  }
  // What is asked of `server` meanwhile is answered.
  template <typename Condition>
  bool RunsUntil(Condition condition, UdpSocket* server = nullptr) {
    const TimePoint deadline = clock.now() + std::chrono::seconds(20);
    while (!condition() && clock.now() < deadline) {
      loop.run_once(std::chrono::milliseconds(10));
      char buffer[16];
      Endpoint from;
      if (server == nullptr || !server->receive(buffer, sizeof buffer, &from).ok()) continue;
      server->send_to("answer", from);
    }
    return condition();
  }

  void on_attempt() override {
    ++attempts;
    ask = true;
  }
  void on_gave_up(ExitStatus status, const std::string& error) override {
    ended = status;
    said = error;
  }
  void on_datagram(const Path&, std::string_view datagram, TimePoint) override {
    heard = datagram;
    link->succeeded();
  }
  void tick(TimePoint) override {}
  TimePoint next_deadline() const override { return TimePoint::max(); }
  bool drain(OutputQueue& queue, TimePoint) override {
    if (std::exchange(ask, false)) queue.add({}, "question");
    return false;
  }
  void on_refused(const Endpoint&, int error) override {
    link->failed(error_text(error), ExitStatus::unreachable);
  }

  SystemClock clock;
  EventLoop loop{clock};
  Log log{"", LogLevel::error};
  std::optional<Link> link;
  std::optional<ExitStatus> ended;
  std::string said;
  std::string heard;
  int attempts = 0;
  bool ask = false;
};

TEST_F(LinkTest, AsksAServerAndHearsIt) {
  UdpSocket server = UdpSocket::bound(loopback());
  Start({spec_of(server.local())});
  EXPECT_TRUE(RunsUntil([&] { return heard == "answer"; }, &server));
  EXPECT_EQ(link->peer(), server.local());
  EXPECT_FALSE(link->outage());
}

TEST_F(LinkTest, GivesUpWithASentenceWhereItMayNotTryAgain) {
  const Endpoint nobody = UdpSocket::bound(loopback()).local();
  Start({spec_of(nobody)});
  EXPECT_TRUE(RunsUntil([&] { return ended.has_value(); }));
  EXPECT_EQ(ended, ExitStatus::unreachable);
  EXPECT_EQ(said, nobody.to_string() + ": connection refused");
}

TEST_F(LinkTest, GoesOnToTheNextServer) {
  UdpSocket server = UdpSocket::bound(loopback());
  const Endpoint nobody = UdpSocket::bound(loopback()).local();
  Start({spec_of(nobody), spec_of(server.local())});
  EXPECT_TRUE(RunsUntil([&] { return heard == "answer"; }, &server));
  EXPECT_EQ(attempts, 2);
}

TEST_F(LinkTest, TriesAgainAfterADrop) {
  UdpSocket server = UdpSocket::bound(loopback());
  Start({spec_of(server.local())}, 3);
  ASSERT_TRUE(RunsUntil([&] { return heard == "answer"; }, &server));
  heard.clear();
  link->failed("connection lost", ExitStatus::unreachable);
  EXPECT_TRUE(link->outage());
  EXPECT_TRUE(RunsUntil([&] { return heard == "answer"; }, &server));
  EXPECT_FALSE(link->outage());
}

TEST_F(LinkTest, ANameThatIsNoneIsNotTriedAgain) {
  Start({AddressSpec::parse("nowhere.invalid:9", AddressRole::client)}, Reconnect::kForever);
  EXPECT_TRUE(RunsUntil([&] { return ended.has_value(); }));
  EXPECT_EQ(ended, ExitStatus::name);
  EXPECT_EQ(attempts, 0);
}

}  // namespace
}  // namespace netkit::datagram
