#include "support/hasty_clock.hpp"

#include <algorithm>
#include <memory>
#include <push/control.hpp>
#include <push/payload.hpp>
#include <string>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {
namespace {

using Verb = ControlLine::Verb;

TEST(ControlLine, SubscribeHasANameAndAPort) {
  const ControlLine line = parse_control("SUBSCRIBE ann 5000");
  EXPECT_EQ(line.verb, Verb::subscribe);
  EXPECT_EQ(line.name, "ann");
  EXPECT_EQ(line.port, 5000);
}

TEST(ControlLine, ANameMayHoldSpaces) {
  const ControlLine line = parse_control("  subscribe  ann of the hill   65535 \r");
  EXPECT_EQ(line.name, "ann of the hill");
  EXPECT_EQ(line.port, 65535);
  EXPECT_EQ(parse_control("UNSUBSCRIBE ann of the hill").name, "ann of the hill");
}

TEST(ControlLine, APortIsANumberFromOneTo65535) {
  for (const char* port : {"0", "65536", "-1", "5x", "99999999999999999999", "+5"}) {
    const ControlLine line = parse_control("SUBSCRIBE ann " + std::string(port));
    EXPECT_EQ(line.verb, Verb::wrong) << port;
    EXPECT_EQ(line.error, "a UDP port is a number from 1 to 65535") << port;
  }
}

TEST(ControlLine, WhatIsMissingIsSaid) {
  EXPECT_EQ(parse_control("SUBSCRIBE ann").error, "write SUBSCRIBE NAME UDP-PORT");
  EXPECT_EQ(parse_control("UNSUBSCRIBE").error, "write UNSUBSCRIBE NAME");
  EXPECT_EQ(parse_control("SUBSCRIBE " + std::string(300, 'x') + " 1").error, kNameForm);
}

TEST(ControlLine, OtherVerbsStandAlone) {
  EXPECT_EQ(parse_control("LIST").verb, Verb::list);
  EXPECT_EQ(parse_control("status").verb, Verb::status);
  EXPECT_EQ(parse_control("Quit").verb, Verb::quit);
  EXPECT_EQ(parse_control("LIST all").verb, Verb::wrong);
  EXPECT_EQ(parse_control("HELLO").verb, Verb::wrong);
  EXPECT_EQ(parse_control(" ").verb, Verb::empty);
}

TEST(ControlLine, ARequestOfABrowserIsNone) {
  for (const char* line : {"GET / HTTP/1.1\r", "put /x HTTP/1.0", "PRI * HTTP/2.0"}) {
    EXPECT_EQ(parse_control(line).verb, Verb::http) << line;
  }
  EXPECT_EQ(parse_control("UNSUBSCRIBE a HTTP/1.1").verb, Verb::unsubscribe);
}

RosterRow row(std::string_view name) {
  return {.name = name,
          .address = *Endpoint::parse("[::1]:5000"),
          .plain = true,
          .age = std::chrono::milliseconds(1500),
          .sent = 7,
          .lost = 2,
          .lag = 1};
}

TEST(RosterLine, ListIsNameAndAddress) {
  std::string line;
  append_list_row(line, row("ann b"));
  EXPECT_EQ(line, "ann b [::1]:5000\n");
}

TEST(RosterLine, ANameCannotMakeLinesOfItsOwn) {
  std::string line;
  append_list_row(line, row("a\nb\x1b"));
  EXPECT_EQ(line, "a\\x0ab\\x1b [::1]:5000\n");
}

TEST(RosterLine, StatusComesBackAsItWas) {
  std::string line;
  append_status_row(line, row("ann b"));
  EXPECT_EQ(line, "[::1]:5000 plain 1.500 7 2 1 ann b\n");
  line.pop_back();
  const auto read = parse_status_row(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "ann b");
  EXPECT_EQ(read->address, "[::1]:5000");
  EXPECT_DOUBLE_EQ(read->age_s, 1.5);
  EXPECT_EQ(read->sent + read->lost + read->lag, 10u);
}

TEST(RosterLine, StatusOfANativeOneTellsItsPath) {
  RosterRow native = row("ann b");
  native.plain = false;
  native.path = {std::chrono::microseconds(40500), 64, 1250.5, 3};
  std::string line;
  append_status_row(line, native);
  EXPECT_EQ(line, "[::1]:5000 native 1.500 7 2 1 ann b\t40.500 64 1250.5 3\n");
  line.pop_back();
  const auto read = parse_status_row(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "ann b");
  EXPECT_EQ(read->path.rtt, native.path.rtt);
  EXPECT_EQ(read->path.window, 64u);
  EXPECT_DOUBLE_EQ(read->path.rate, 1250.5);
  EXPECT_EQ(read->path.retransmitted, 3u);
}

TEST(RosterLine, StatusHasTheNameItselfWhateverItHolds) {
  for (const std::string name :
       {"a\x1b[2J", "a\nb", R"(C:\dir\x5c\)", R"(\x1b)", "bad\xff", "\u202e-", "\\"}) {
    std::string line;
    append_status_row(line, row(name));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_TRUE(is_shown_unchanged(line, true)) << line;
    line.pop_back();
    const auto read = parse_status_row(line);
    ASSERT_TRUE(read) << line;
    EXPECT_EQ(read->name, name);
  }
}

TEST(RosterLine, WhatIsNoEscapeIsKept) {
  const auto read = parse_status_row(R"([::1]:5000 plain 1 7 2 1 \x \xg1 \x1 \y\x41 \x4)");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, R"(\x \xg1 \x1 \yA \x4)");
}

TEST(RosterLine, AnythingElseIsNotAStatusRow) {
  for (const char* line : {"", "a b c d e f g", "a plain 1 2 3 4", "a plain 1 2 3 -4 x",
                           "a plain  2 3 4 5 x", "a plain 1 2 3 4 ", "a native 1 2 3 4 x\t1 2 3",
                           "a native 1 2 3 4 x\t1 2 3 4 5", "a native 1 2 3 4 x\t1 2 -3 4"}) {
    EXPECT_FALSE(parse_status_row(line)) << line;
  }
}

// A server on a clock that the test moves ahead, and what a peer sends it.
class ControlServerTest : public testing::Test, private Hub::Handler, private Publishing {
 protected:
  ControlServerTest() {
    server_->listen(AddressSpec::parse("127.0.0.1:0", AddressRole::server));
    const Endpoint local = server_->locals().at(0);
    EXPECT_EQ(::connect(peer_.get(), local.data(), local.size()), 0);
  }
  void send(std::string_view text) {
    ASSERT_EQ(::send(peer_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    turn();
  }
  void pass(Duration time) {
    clock_.advance(time);
    turn();
  }
  void turn() {
    for (int i = 0; i < 5; ++i) loop_.run_once(std::chrono::milliseconds(5));
  }
  std::string heard() {
    char buffer[4096];
    const ssize_t size = ::recv(peer_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  bool is_closed() const { return server_->empty(); }

 private:
  static std::function<bool(const IpAddress&)> nobody() {
    return [](const IpAddress&) { return false; };
  }
  void on_subscribed(const Subscriber&) override {}
  void on_unsubscribed(const Subscriber&, std::string_view, std::uint64_t) override {}
  void on_full(const Endpoint&, std::string_view) override {}
  const AnswerPolicy& policy() const override { return policy_; }
  std::string identity_of(const ByteStream&) const override { return {}; }
  std::string why_closed(const Endpoint&, std::string_view) const override { return {}; }
  std::string why_refused(const Endpoint&, std::string_view, std::size_t) override { return {}; }
  void publish(std::string_view, std::string_view, Answer answer) override { answer({}); }

  test::HastyClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::error};
  AnswerPolicy policy_{
      {}, {.is_own = nobody(), .is_broadcast = nobody(), .is_on_link = nobody()}, {}};
  Hub hub_{{}, datagram::system_random(), *this};
  std::unique_ptr<TcpServer> server_ = make_control_server(loop_, log_, {}, hub_, *this);
  FileDescriptor peer_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

constexpr const char* kTooSlow = "ERR a line and its record have to come within a minute\n";

TEST_F(ControlServerTest, ALineOfOneByteNowAndThenComesToAnEnd) {
  for (const char* piece : {"S", "T", "A", "T"}) {
    send(piece);
    pass(std::chrono::seconds(16));
  }
  EXPECT_EQ(heard(), kTooSlow);
  EXPECT_TRUE(is_closed());
}

TEST_F(ControlServerTest, SoDoesARecord) {
  send("PUSH - 100\nhello");
  pass(std::chrono::seconds(50));
  send("more");
  EXPECT_FALSE(is_closed());
  pass(std::chrono::seconds(11));
  EXPECT_EQ(heard(), kTooSlow);
  EXPECT_TRUE(is_closed());
}

TEST_F(ControlServerTest, ARecordThatIsRefusedIsNotReadAsLines) {
  send("PUSH a+b 10\nLIST\nLIST\nQUIT\n");
  EXPECT_EQ(heard(), "ERR the topic contains + or #, which are wildcards\nOK\n");
}

TEST_F(ControlServerTest, NothingIsReadAfterARecordOfUnknownLength) {
  send("PUSH a b 5\nLIST\n");
  EXPECT_EQ(heard(), "ERR write PUSH TOPIC LENGTH, then that many bytes\n");
  EXPECT_TRUE(is_closed());
}

TEST_F(ControlServerTest, WhoIsSilentBetweenLinesStays) {
  send("PUSH - 5\nhel");
  pass(std::chrono::seconds(50));
  send("loPUSH - 5\nhel");
  pass(std::chrono::seconds(50));
  send("lo");
  EXPECT_EQ(heard(), "OK\nOK\n");
  pass(std::chrono::hours(24));
  send("QUIT\n");
  EXPECT_EQ(heard(), "OK\n");
}

}  // namespace
}  // namespace netkit::push
