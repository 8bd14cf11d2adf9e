#include "support/udp_fixture.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

#include <gtest/gtest.h>

#include <netkit/net/udp_server.hpp>

namespace netkit {
namespace {

using test::hear;
using test::loopback;
using test::open_udp;
using test::texts;

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

// A server that answers in capitals, or with what came where it starts with '='.
class UdpServerTest : public testing::Test, public UdpServer::Handler {
 protected:
  void serve(std::string_view at = "127.0.0.1:0") { serve_by(open_udp({.gro = true}, at)); }
  // By a socket of both families; returns its address of IPv4.
  Endpoint serve_both() {
    serve_by(test::open_udp_of_both_families());
    return loopback().with_port(address().port());
  }
  void serve_by(UdpSocket socket) {
    std::vector<UdpSocket> sockets;
    sockets.push_back(std::move(socket));
    server_.emplace(loop_, std::move(sockets), *this, options_);
  }
  Endpoint address() const { return server_->local().front(); }
  UdpSocket client(std::string_view at, const Endpoint& server) const {
    UdpSocket socket = open_udp({}, at);
    socket.connect(server);
    return socket;
  }
  UdpSocket client(std::string_view at = "127.0.0.1:0") const { return client(at, address()); }
  void run_until(const std::function<bool()>& done) {
    const TimePoint end = clock_.now() + std::chrono::seconds(5);
    while (!done() && clock_.now() < end) loop_.run_once(std::chrono::milliseconds(100));
    EXPECT_TRUE(done());
  }
  void run_until_sent(std::uint64_t count) {
    run_until([&] { return server_->sent().datagrams == count; });
  }
  std::uint64_t refused(Refusal why) const {
    return server_->policy().refused()[static_cast<std::size_t>(why)];
  }

  void expect_a_loop_is_found(const Endpoint& server) {
    UdpSocket other = open_udp();
    const std::string same(1, '=');
    for (int i = 0; i < 1100; ++i) {
      other.send_to(same, server);
      run_until_sent(static_cast<std::uint64_t>(i) + 1);
    }
    std::vector<test::Heard> heard = hear(other, 1101);  // one more than was sent
    const auto probe = std::find_if(heard.begin(), heard.end(), [&](const test::Heard& one) {
      return one.from.port() != server.port();
    });
    ASSERT_NE(probe, heard.end());
    EXPECT_EQ(probe->text, same);
    other.send_to(same, probe->from);
    run_until([&] { return server_->policy().loops() == 1; });
    other.send_to("anything", server);
    run_until([&] { return refused(Refusal::loop) == 1; });
  }

  void on_message(const ReceivedMessage& message) override {
    if (!message.data.starts_with('=')) return UdpServer::Handler::on_message(message);
    server_->answer_unchanged(message, message.data);
  }
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override {
    sources_.push_back(server_->source_of(from).address);
    peers_.push_back(*from.peer);
    std::string answer;
    for (int i = 0; i < times_; ++i) answer += upper(datagram);
    server_->answer(from, answer);
  }
  void on_refused(const ReceivedMessage& message, Refusal why) override {
    for_each_datagram(message, [&](std::string_view text) { refused_.emplace_back(text); });
    last_refusal_ = why;
  }
  void on_unreachable(const Endpoint& to) override { unreachable_.push_back(to); }

  SystemClock clock_;
  EventLoop loop_{clock_};
  UdpServer::Options options_;
  std::optional<UdpServer> server_;
  int times_ = 1;  // what is answered, over and over
  std::vector<IpAddress> sources_;
  std::vector<Endpoint> peers_;
  std::vector<std::string> refused_;
  Refusal last_refusal_ = Refusal::none;
  std::vector<Endpoint> unreachable_;
};

TEST_F(UdpServerTest, Answers) {
  serve();
  UdpSocket peer = client();
  peer.send("hello");
  run_until_sent(1);
  EXPECT_EQ(texts(hear(peer, 1)), std::vector<std::string>{"HELLO"});
}

// A connected socket hears nothing from another address.
TEST_F(UdpServerTest, AnswersFromTheAddressThatWasAsked) {
  serve("0.0.0.0:0");
  for (const char* asked : {"127.0.0.9", "127.0.0.1", "127.9.9.9"}) {
    UdpSocket peer = client("127.0.0.1:0", Endpoint(*IpAddress::parse(asked), address().port()));
    peer.send("hello");
    run_until_sent(server_->sent().datagrams + 1);
    EXPECT_EQ(texts(hear(peer, 1)), std::vector<std::string>{"HELLO"}) << asked;
    EXPECT_EQ(sources_.back(), *IpAddress::parse(asked));
  }
}

TEST_F(UdpServerTest, AnswersFromTheIpv6AddressThatWasAsked) {
  serve("[::]:0");
  UdpSocket peer = client("[::1]:0", Endpoint(*IpAddress::parse("::1"), address().port()));
  peer.send("=six");
  run_until_sent(1);
  EXPECT_EQ(texts(hear(peer, 1)), std::vector<std::string>{"=six"});
}

TEST_F(UdpServerTest, AnswersABatchWithFewSystemCalls) {
  serve();
  UdpSocket peer = client();
  DatagramSender sender;
  const std::vector<std::string> sent(200, "=same");
  for (const std::string& text : sent) sender.add(address(), text);
  EXPECT_EQ(sender.flush(peer), 0u);
  run_until_sent(200);
  EXPECT_EQ(texts(hear(peer, 200)), sent);
  EXPECT_LE(server_->sent().system_calls, 4u);
}

TEST_F(UdpServerTest, KeepsTheAnswersOfABatchApart) {
  serve();
  UdpSocket one = client();
  UdpSocket two = client();
  for (int i = 0; i < 10; ++i) {
    one.send("a" + std::to_string(i));
    two.send("b" + std::to_string(i));
  }
  run_until_sent(20);
  const auto heard = texts(hear(two, 10));
  ASSERT_EQ(heard.size(), 10u);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(heard[static_cast<std::size_t>(i)], "B" + std::to_string(i));
}

TEST_F(UdpServerTest, AnswersNobodyItMustNot) {
  options_.policy.access = AccessList({}, {"127.0.0.2"});
  serve();
  UdpSocket denied = client("127.0.0.2:0");
  UdpSocket peer = client();
  denied.send("no");
  peer.send("yes");
  run_until_sent(1);
  EXPECT_EQ(refused_, std::vector<std::string>{"no"});
  EXPECT_EQ(refused(Refusal::denied), 1u);
  EXPECT_TRUE(test::is_empty(denied));
}

TEST_F(UdpServerTest, AnswersWhatTheRateAllowsOfAMessage) {
  options_.policy.rate = 2;
  serve();
  UdpSocket peer = client();
  DatagramSender sender;
  for (const char* text : {"aa", "bb", "cc", "d"}) sender.add(address(), text);
  EXPECT_EQ(sender.flush(peer), 0u);
  run_until([&] { return refused(Refusal::rate) == 2; });
  EXPECT_EQ(texts(hear(peer, 2)), (std::vector<std::string>{"AA", "BB"}));
  EXPECT_EQ(refused_, (std::vector<std::string>{"cc", "d"}));
  EXPECT_EQ(last_refusal_, Refusal::rate);
}

TEST_F(UdpServerTest, AsksAPeerThatSendsItsAnswersBackFromAnotherPort) {
  options_.policy.loops = AnswerPolicy::Loops::same_answer;
  serve();
  expect_a_loop_is_found(address());
}

TEST_F(UdpServerTest, AsksAPeerOfIpv4OnASocketOfBothFamiliesToo) {
  options_.policy.loops = AnswerPolicy::Loops::same_answer;
  expect_a_loop_is_found(serve_both());
}

TEST_F(UdpServerTest, DropsAndCountsWhatIsTooLong) {
  options_.capacity = 10;
  serve();
  UdpSocket peer = client();
  peer.send("eleven bytes");
  peer.send("ten bytes!");
  run_until_sent(1);
  EXPECT_EQ(server_->truncated(), 1u);
  EXPECT_EQ(texts(hear(peer, 1)), std::vector<std::string>{"TEN BYTES!"});
}

TEST_F(UdpServerTest, CountsAnswersThatNoDatagramHolds) {
  times_ = 3;
  serve();
  UdpSocket peer = client();
  for (int i = 0; i < 3; ++i) peer.send(std::string(60'000, 'x'));
  peer.send("short");
  run_until_sent(1);
  EXPECT_EQ(server_->sent().too_big, 3u);
  EXPECT_EQ(texts(hear(peer, 1)), std::vector<std::string>{"SHORTSHORTSHORT"});
}

TEST_F(UdpServerTest, HearsWhosePortIsClosed) {
  options_.report_unreachable = true;
  serve();
  const Endpoint gone = open_udp().local();
  server_->send(gone, "are you", " there?");
  EXPECT_TRUE(server_->flush());
  run_until([&] { return !unreachable_.empty(); });
  EXPECT_EQ(unreachable_.front(), gone);
}

TEST_F(UdpServerTest, HearsWhosePortIsClosedOnASocketOfBothFamilies) {
  options_.report_unreachable = true;
  const Endpoint server = serve_both();
  open_udp().send_to("x", server);
  run_until([&] { return !unreachable_.empty(); });
  EXPECT_EQ(unreachable_.front(), peers_.at(0));
}

TEST_F(UdpServerTest, SendsBySourcesAndTogether) {
  serve("0.0.0.0:0");
  UdpSocket one = open_udp({.gro = true});
  const DatagramSource source{*IpAddress::parse("127.0.0.7")};
  for (int i = 0; i < 64; ++i) server_->send(one.local(), "head", "body", source);
  EXPECT_EQ(server_->queued(), 64u);
  EXPECT_TRUE(server_->flush());
  const auto heard = hear(one, 64);
  ASSERT_EQ(heard.size(), 64u);
  EXPECT_EQ(heard.back().text, "headbody");
  EXPECT_EQ(heard.back().from.address(), source.address);
  EXPECT_EQ(server_->sent().system_calls, 1u);
}

}  // namespace
}  // namespace netkit
