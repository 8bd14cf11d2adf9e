#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/server.hpp>
#include <netkit/loop/event_loop.hpp>

namespace netkit::datagram {
namespace {

// A server that answers every message, beside it plain datagrams.
class EchoEngine final : public Driver::Handler, public Server::Handler {
 public:
  void on_datagram(const Path& from, std::string_view datagram, TimePoint now) override {
    if (is_native(datagram)) return server.on_datagram(from, datagram, now);
    plain.emplace_back(from, datagram);
  }
  void tick(TimePoint now) override { server.tick(now); }
  TimePoint next_deadline() const override { return server.next_deadline(); }
  bool drain(OutputQueue& queue, TimePoint now) override {
    for (const auto& [to, text] : std::exchange(plain, {})) queue.add(to, text);
    return server.drain(queue, now);
  }
  Verdict on_connect(SessionRef, const Endpoint&, std::string_view) override {
    return Verdict::accept();
  }
  void on_message(SessionRef session, std::uint64_t, std::string_view message) override {
    server.send(session, message);
  }
  void on_left(SessionRef, LeftReason, std::string_view) override {}

  Server server{{}, system_random(), *this};
  std::vector<std::pair<Path, std::string>> plain;
};

class ClientEngine final : public Driver::Handler, public Client::Handler {
 public:
  explicit ClientEngine(const Endpoint& to) : client({}, to, system_random(), *this) {}
  void on_datagram(const Path&, std::string_view datagram, TimePoint now) override {
    client.on_datagram(datagram, now);
  }
  void tick(TimePoint now) override { client.tick(now); }
  TimePoint next_deadline() const override { return client.next_deadline(); }
  bool drain(OutputQueue& queue, TimePoint now) override { return client.drain(queue, now); }
  void on_refused(const Endpoint&, int error) override { refused = error; }
  void on_connected(std::string_view) override {}
  void on_rejected(std::uint16_t, std::string_view) override {}
  void on_message(std::uint64_t, std::string_view message) override { heard.emplace_back(message); }
  void on_gap(const Gap&) override {}
  void on_left(LeftReason, std::string_view) override {}

  Client client;
  std::vector<std::string> heard;
  int refused = 0;
};

class ClockByHand final : public Clock {
 public:
  TimePoint now() const override { return time; }
  WallTime wall() const override { return WallTime{}; }
  TimePoint time{std::chrono::hours(1)};
};

// Has three rounds to send, each of which takes a while and is answered meanwhile.
class SlowEngine final : public Driver::Handler {
 public:
  SlowEngine(ClockByHand& clock, const Endpoint& server) : clock_(clock), server_(server) {}
  void on_datagram(const Path&, std::string_view datagram, TimePoint) override {
    events.emplace_back(datagram);
  }
  void tick(TimePoint) override {}
  TimePoint next_deadline() const override { return TimePoint::max(); }
  bool drain(OutputQueue& queue, TimePoint now) override {
    if (rounds_ == 3) return false;
    EXPECT_EQ(now, clock_.time);
    clock_.time += std::chrono::milliseconds(20);
    const std::string number = std::to_string(++rounds_);
    events.push_back("round " + number);
    queue.add(peer_.local(), "said");
    peer_.send_to("answer " + number, server_);
    return rounds_ < 3;
  }

  std::vector<std::string> events;

 private:
  ClockByHand& clock_;
  Endpoint server_;
  UdpSocket peer_ = UdpSocket::bound(*Endpoint::parse("127.0.0.1:0"));
  int rounds_ = 0;
};

class DriverTest : public testing::Test {
 protected:
  DriverTest() {
    std::vector<UdpSocket> sockets;
    sockets.push_back(UdpSocket::bound(*Endpoint::parse("127.0.0.1:0")));
    address = sockets.front().local();
    driver = std::make_unique<Driver>(loop, std::move(sockets), engine, UdpServer::Options{});
  }
  template <typename Condition>
  bool runs_until(Condition condition) {
    const auto deadline = clock.now() + std::chrono::seconds(20);
    while (clock.now() < deadline) {
      if (condition()) return true;
      loop.run_once(std::chrono::milliseconds(50));
    }
    return false;
  }

  SystemClock clock;
  EventLoop loop{clock};
  EchoEngine engine;
  Endpoint address;
  std::unique_ptr<Driver> driver;
};

TEST_F(DriverTest, carries_messages_both_ways_without_being_asked) {
  ClientEngine client(address);
  Driver other(loop, std::vector{address}, client, UdpClient::Options{});
  client.client.connect({}, loop.now());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(client.client.send("message " + std::to_string(i)));
  ASSERT_TRUE(runs_until([&] { return client.heard.size() == 500; }));
  EXPECT_EQ(client.heard.front(), "message 0");
  EXPECT_EQ(client.heard.back(), "message 499");
}

TEST_F(DriverTest, carries_plain_datagrams_beside_the_native_ones) {
  UdpSocket plain = UdpSocket::bound(*Endpoint::parse("127.0.0.1:0"));
  plain.send_to("hello", address);
  char buffer[16];
  IoResult result;
  ASSERT_TRUE(runs_until([&] {
    result = plain.receive(buffer, sizeof buffer, nullptr);
    return result.ok();
  }));
  EXPECT_EQ(std::string(buffer, result.count), "hello");
}

TEST_F(DriverTest, says_that_nobody_is_there) {
  const Endpoint nobody = UdpSocket::bound(*Endpoint::parse("127.0.0.1:0")).local();
  ClientEngine client(nobody);
  Driver other(loop, std::vector{nobody}, client, UdpClient::Options{});
  client.client.connect({}, loop.now());
  EXPECT_TRUE(runs_until([&] { return client.refused == ECONNREFUSED; }));
}

TEST(DriverRounds, go_by_their_own_time_and_let_answers_in_between) {
  ClockByHand clock;
  EventLoop loop(clock);
  std::vector<UdpSocket> sockets;
  sockets.push_back(UdpSocket::bound(*Endpoint::parse("127.0.0.1:0")));
  SlowEngine engine(clock, sockets.front().local());
  const Driver driver(loop, std::move(sockets), engine, UdpServer::Options{});
  for (int turn = 0; turn < 4; ++turn) loop.run_once(Duration::zero());
  const std::vector<std::string> expected = {"round 1",  "answer 1", "round 2",
                                             "answer 2", "round 3",  "answer 3"};
  EXPECT_EQ(engine.events, expected);
}

TEST_F(DriverTest, makes_no_wake_ups_while_nothing_is_due) {
  loop.run_once(Duration::zero());
  const auto wakeups = loop.counters().wakeups;
  loop.run_once(std::chrono::milliseconds(30));
  EXPECT_LE(loop.counters().wakeups, wakeups + 1);  // its own end
  EXPECT_EQ(driver->sockets().sent().datagrams, 0U);
}

}  // namespace
}  // namespace netkit::datagram
