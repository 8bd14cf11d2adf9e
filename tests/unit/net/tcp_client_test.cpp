#include "net/tcp_listener.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/needs_key.hpp>
#include <netkit/net/tcp_client.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

// A server that keeps its connections and remembers what they said.
class Server final : public ByteStream::Handler {
 public:
  explicit Server(EventLoop& loop)
      : listener_(loop, listen_tcp(*Endpoint::parse("127.0.0.1:0")),
                  [this, &loop](FileDescriptor socket, const Endpoint& peer) {
                    streams.push_back(make_tcp_stream(loop, std::move(socket), peer, *this));
                  }) {}
  void on_data(ByteStream& /*stream*/, std::string_view data) override { heard += data; }
  void on_closed(ByteStream& /*stream*/, int /*error*/, std::string_view /*reason*/) override {}
  AddressSpec address() const { return {"127.0.0.1", listener_.local().port()}; }
  void close_all() {
    for (const auto& stream : streams) stream->abort();
    streams.clear();
  }
  void go() {
    listener_.close();
    close_all();
  }

  std::vector<std::unique_ptr<ByteStream>> streams;
  std::string heard;

 private:
  TcpListener listener_;
};

// A layer that never becomes ready: a server that does not answer a TLS handshake.
class SilentTls final : public StreamMaker {
 public:
  std::unique_ptr<ByteStream> make_stream(EventLoop& loop, FileDescriptor socket,
                                          const Endpoint& peer, ByteStream::Handler& handler,
                                          const std::string& server_name,
                                          std::function<void(std::string_view)>) override {
    name = server_name;
    return make_tcp_stream(loop, std::move(socket), peer, handler);
  }
  std::string name;
};

class TcpClientTest : public testing::Test, private TcpClient::Handler {
 protected:
  TcpClientTest() {
    log_.redirect([this](std::string_view line) { said_ += line; });
  }
  void start(std::vector<AddressSpec> servers, std::uint64_t limit = Reconnect::kForever) {
    options_.servers = std::move(servers);
    options_.reconnect = {.limit = limit, .initial = 1ms, .maximum = 1ms};
    client_.emplace(loop_, log_, options_, handler());
    client_->start();
  }
  TcpClient::Handler& handler() { return *this; }
  template <typename Condition>
  void until(Condition condition) {
    const auto deadline = clock_.now() + 10s;
    while (!condition() && clock_.now() < deadline) loop_.run_once(20ms);
    ASSERT_TRUE(condition());
  }
  void until_connected() {
    until([this] { return client_->stream() != nullptr; });
  }
  void until_given_up() {
    until([this] { return !error_.empty(); });
  }
  static AddressSpec nobody(EventLoop& loop) {
    Server gone(loop);
    return gone.address();
  }

  void on_connected(TcpClient& client) override { client.stream()->write("hello"); }
  void on_data(TcpClient& client, std::string_view data) override {
    heard_ += data;
    if (data == "bad") client.drop("no frame", ExitStatus::protocol);
  }
  std::string on_lost(TcpClient& client) override {
    EXPECT_EQ(client.stream(), nullptr);
    ++lost_;
    if (stops_when_lost_) client.stop();
    return remark_;
  }
  void on_gave_up(TcpClient& /*client*/, ExitStatus status, const std::string& error) override {
    status_ = status;
    error_ = error;
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::notice};
  Server server_{loop_};
  TcpClient::Options options_;
  std::optional<TcpClient> client_;
  std::string said_, heard_, remark_, error_;
  ExitStatus status_ = ExitStatus::done;
  int lost_ = 0;
  bool stops_when_lost_ = false;
};

TEST_F(TcpClientTest, GivesUpAtAServerThatRequiresAKey) {
  start({server_.address()});
  until_connected();
  until([this] { return server_.heard == "hello"; });
  server_.streams.front()->write(kNeedsKeyAlert);
  until_given_up();
  EXPECT_EQ(status_, ExitStatus::permission);
  EXPECT_EQ(error_,
            server_.address().to_string() + ": refused: this server requires a key (--psk-file)");
  EXPECT_EQ(heard_, "");
  EXPECT_EQ(lost_, 1);
}

TEST_F(TcpClientTest, ConnectsAndTalks) {
  start({server_.address()});
  until([this] { return server_.heard == "hello"; });
  server_.streams[0]->write("good");
  until([this] { return heard_ == "good"; });
  EXPECT_EQ(said_, "");
}

TEST_F(TcpClientTest, ComesBackAfterADropAndSaysSoOnce) {
  start({server_.address()});
  until([this] { return server_.heard == "hello"; });
  remark_ = "1 request without an answer";
  server_.close_all();
  until([this] { return server_.heard == "hellohello"; });
  const std::string server = server_.address().to_string();
  EXPECT_EQ(said_.find(server + ": connection lost: "), 0U) << said_;
  EXPECT_NE(said_.find(" (1 request without an answer); trying again"), said_.npos) << said_;
  EXPECT_NE(said_.find(server + ": connected again after "), said_.npos) << said_;
  EXPECT_EQ(std::count(said_.begin(), said_.end(), '\n'), 2);
  EXPECT_EQ(lost_, 1);
  EXPECT_EQ(client_->connections(), 2U);
}

TEST_F(TcpClientTest, TakesTheNextOfTheListWhereNobodyAnswers) {
  start({nobody(loop_), server_.address()});
  until_connected();
  EXPECT_EQ(client_->server(), server_.address().to_string());
}

TEST_F(TcpClientTest, FailsOverWhenItsServerIsGone) {
  Server other(loop_);
  start({server_.address(), other.address()});
  until([this] { return server_.heard == "hello"; });
  server_.go();
  until([&] { return other.heard == "hello"; });
  EXPECT_EQ(client_->server(), other.address().to_string());
}

TEST_F(TcpClientTest, GivesUpWithASentence) {
  const AddressSpec address = nobody(loop_);
  start({address}, Reconnect::kNever);
  until_given_up();
  EXPECT_EQ(status_, ExitStatus::unreachable);
  EXPECT_EQ(error_, address.to_string() + ": connection refused");
  EXPECT_EQ(said_, "") << "the end of the run says it";
}

TEST_F(TcpClientTest, WhatItsOwnerDropsEndsWithTheOwnersStatus) {
  start({server_.address()}, Reconnect::kNever);
  until([this] { return !server_.streams.empty(); });
  server_.streams[0]->write("bad");
  until_given_up();
  EXPECT_EQ(status_, ExitStatus::protocol);
  EXPECT_EQ(error_, server_.address().to_string() + ": connection lost: no frame");
}

TEST_F(TcpClientTest, AHandshakeHasATimeLimit) {
  const auto tls = std::make_shared<SilentTls>();
  options_.tls = tls;
  options_.connect_timeout = 20ms;
  start({server_.address()}, Reconnect::kNever);
  until_given_up();
  EXPECT_EQ(tls->name, "127.0.0.1");
  EXPECT_EQ(error_,
            server_.address().to_string() + ": no TLS handshake within 20ms (--connect-timeout)");
  EXPECT_EQ(client_->connections(), 0U);
}

TEST_F(TcpClientTest, StopEndsItWithoutAWord) {
  start({server_.address()});
  until([this] { return server_.heard == "hello"; });
  client_->stop();
  EXPECT_EQ(client_->stream(), nullptr);
  for (int i = 0; i < 5; ++i) loop_.run_once(2ms);
  EXPECT_EQ(said_ + error_, "");
  EXPECT_EQ(lost_, 0);
}

TEST_F(TcpClientTest, StopOfOneThatIsLostEndsItAsWell) {
  start({server_.address()});
  until([this] { return server_.heard == "hello"; });
  stops_when_lost_ = true;
  server_.close_all();
  until([this] { return lost_ == 1; });
  for (int i = 0; i < 20; ++i) loop_.run_once(2ms);
  EXPECT_EQ(client_->connections(), 1U);
  EXPECT_EQ(said_ + error_, "");
}

// Seen by AddressSanitizer: a connection that closes calls back once more.
TEST_F(TcpClientTest, MayBeDestroyedInTheTurnThatStopsIt) {
  options_.servers = {server_.address()};
  auto client = std::make_unique<TcpClient>(loop_, log_, options_, handler());
  client->start();
  until([this] { return server_.heard == "hello"; });
  client->stop();
  client.reset();
  for (int i = 0; i < 5; ++i) loop_.run_once(2ms);
  EXPECT_EQ(lost_, 0);
}

}  // namespace
}  // namespace netkit
