#include <cstddef>
#include <functional>
#include <memory>
#include <redis/connection.hpp>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/fake_host.hpp>

namespace netkit::redis {
namespace {

// A server that says what the test wants it to, and time that only the test moves.
class ConnectionTest : public ::testing::Test, private Connection::Handler {
 protected:
  class Peer final : public TcpServer::Connection {
   public:
    explicit Peer(ConnectionTest& test) : test_(test) { test_.peer_ = this; }

   private:
    void on_received(std::string_view data) override { test_.asked_ += data; }
    void on_gone(int, std::string_view) override { test_.peer_ = nullptr; }
    ConnectionTest& test_;
  };

  void connect(Connection::Login login = {}) {
    server_.listen(AddressSpec::parse("127.0.0.1:0", AddressRole::server));
    TcpClient::Options options;
    options.servers = {
        AddressSpec::parse(server_.locals().front().to_string(), AddressRole::client)};
    options.reconnect.limit = Reconnect::kForever;
    Connection::Handler& handler = *this;
    connection_ = std::make_unique<Connection>(loop_, log_, options, std::move(login), handler);
    connection_->start();
  }
  bool wait(const std::function<bool()>& done) {
    for (int i = 0; i < 5000 && !done(); ++i) loop_.run_once(std::chrono::milliseconds(1));
    return done();
  }
  void say(std::string_view text) {
    ASSERT_TRUE(wait([this] { return peer_ != nullptr; }));
    peer_->write(text);
    for (int i = 0; i < 20; ++i) loop_.run_once(std::chrono::milliseconds(1));
  }

  test::FakeClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::error};
  Peer* peer_ = nullptr;
  std::string asked_;
  TcpServer server_{
      loop_, log_, {}, [this](const Endpoint&) { return std::make_unique<Peer>(*this); }};
  std::unique_ptr<Connection> connection_;
  bool ready_ = false;
  int lost_ = 0;
  std::string gave_up_;

 private:
  void on_ready(Connection&) override { ready_ = true; }
  void on_lost(Connection&) override { ++lost_; }
  void on_gave_up(Connection&, ExitStatus, const std::string& error) override { gave_up_ = error; }
};

// As a thousand large entries are, over a slow way; what is asked behind it waits for its end.
TEST_F(ConnectionTest, ALongAnswerTakesItsTime) {
  connect();
  ASSERT_TRUE(wait([this] { return ready_; }));
  std::size_t size = 0;
  std::string next;
  connection_->send({"GET", "long"}, [&](const Reply& reply) { size = reply.text().size(); });
  connection_->send({"GET", "next"}, [&](const Reply& reply) { next = reply.text(); });
  say("$5000\r\n");
  for (int i = 0; i < 5; ++i) {
    clock_.advance(std::chrono::seconds(2));
    say(std::string(1000, 'x'));
  }
  EXPECT_EQ(lost_, 0);
  say("\r\n");
  EXPECT_EQ(size, 5000u);
  clock_.advance(std::chrono::seconds(2));
  say("+there\r\n");
  EXPECT_EQ(next, "there");
  // One that says nothing is given up.
  connection_->send({"GET", "nothing"}, {});
  clock_.advance(std::chrono::seconds(4));
  EXPECT_TRUE(wait([this] { return lost_ == 1; }));
}

TEST_F(ConnectionTest, OnlyAWrongPasswordIsOne) {
  connect({.password = "secret"});
  ASSERT_TRUE(wait([this] { return !asked_.empty(); }));
  say("-ERR max number of clients reached\r\n");
  EXPECT_EQ(gave_up_, "");
  clock_.advance(std::chrono::minutes(1));  // the next attempt
  asked_.clear();
  ASSERT_TRUE(wait([this] { return !asked_.empty(); }));
  say("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_NE(gave_up_.find("rejects the password"), std::string::npos);
  EXPECT_FALSE(ready_);
}

}  // namespace
}  // namespace netkit::redis
