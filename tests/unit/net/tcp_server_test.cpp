#include "support/hasty_clock.hpp"
#include "support/temp_folder.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class TcpServerTest : public testing::Test {
 protected:
  // Remembers what it is told.
  struct Client : TcpServer::Connection {
    explicit Client(TcpServerTest& owner) : test(owner) { ++test.made_; }
    ~Client() override { ++test.destroyed_; }
    using Connection::server;

    void on_open(std::string_view) override {
      ++test.opened_;
      if (over_limit()) {
        write("no room");
        close();
      }
    }
    void on_received(std::string_view data) override {
      test.heard_.append(data);
      if (test.on_received_) test.on_received_(*this);
    }
    void on_half_closed() override {
      ++test.ends_;
      close();
    }
    void on_gone(int error, std::string_view reason) override {
      ++test.gone_;
      test.error_ = error;
      test.reason_ = reason;
    }
    void on_backed_up() override { ++test.backed_up_; }
    void on_drained() override { ++test.drained_; }
    TcpServerTest& test;
  };

  TcpServerTest() {
    log_.redirect([this](std::string_view line) { log_lines_.append(line); });
  }

  TcpServer& start(TcpServer::Options options = {.max_clients = 16}) {
    server_.emplace(loop_, log_, std::move(options),
                    [this](const Endpoint&) { return std::make_unique<Client>(*this); });
    server_->listen(AddressSpec::parse("127.0.0.1:0", AddressRole::server));
    return *server_;
  }
  FileDescriptor connect() {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Endpoint local = server_->locals().at(0);
    EXPECT_EQ(::connect(fd.get(), local.data(), local.size()), 0);
    return fd;
  }
  // One that the server has.
  FileDescriptor join() {
    const int before = opened_;
    FileDescriptor fd = connect();
    until([&] { return opened_ > before; });
    return fd;
  }
  static void send(const FileDescriptor& fd, std::string_view text) {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What the server sends until it closes.
  std::string read_to_end(const FileDescriptor& fd) {
    std::string read;
    until([&] {
      char buffer[65536];
      const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) read.append(buffer, static_cast<std::size_t>(count));
      return count == 0 || (count < 0 && errno != EAGAIN);
    });
    return read;
  }
  Client& only() {
    Client* found = nullptr;
    server_->for_each<Client>([&](Client& client) { found = &client; });
    return *found;
  }
  template <typename Condition>
  void until(Condition condition) {
    const auto deadline = clock_.now() + 20s;
    while (!condition() && clock_.now() < deadline) loop_.run_once(20ms);
    ASSERT_TRUE(condition());
  }

  test::HastyClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::info};
  std::optional<TcpServer> server_;
  std::function<void(Client&)> on_received_;
  std::string heard_, reason_, log_lines_;
  int made_ = 0, destroyed_ = 0, opened_ = 0, ends_ = 0, gone_ = 0, backed_up_ = 0, drained_ = 0;
  int error_ = -1;
};

TEST_F(TcpServerTest, AnswersWhomItAccepts) {
  start();
  on_received_ = [](Client& client) { client.write("pong"); };
  const FileDescriptor fd = join();
  send(fd, "ping");
  until([this] { return heard_ == "ping"; });
  only().close();
  EXPECT_EQ(read_to_end(fd), "pong");
  until([this] { return gone_ == 1; });
  EXPECT_EQ(error_, 0);
  EXPECT_EQ(destroyed_, 1);
  EXPECT_TRUE(server_->empty());
  EXPECT_THAT(log_lines_, MatchesRegex("127.0.0.1:[0-9]+ connected\n127.0.0.1:[0-9]+ closed\n"));
}

TEST_F(TcpServerTest, SaysWhereItListens) {
  start();
  const std::string local = server_->locals().at(0).to_string();
  EXPECT_THAT(server_->descriptions(), ElementsAre("tcp " + local));
}

TEST_F(TcpServerTest, TellsOfTheEndOfWhatAPeerSays) {
  start();
  const FileDescriptor fd = join();
  ::shutdown(fd.get(), SHUT_WR);
  until([this] { return gone_ == 1; });
  EXPECT_EQ(ends_, 1);
}

TEST_F(TcpServerTest, TellsOfALostConnection) {
  start();
  FileDescriptor fd = join();
  const linger hard{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd.reset();
  until([this] { return gone_ == 1; });
  EXPECT_EQ(error_, ECONNRESET);
}

TEST_F(TcpServerTest, AnAbortedConnectionOutlivesItsCallback) {
  start();
  on_received_ = [this](Client& client) {
    client.abort();
    EXPECT_EQ(gone_, 1);
    EXPECT_EQ(destroyed_, 0);
  };
  const FileDescriptor fd = join();
  send(fd, "x");
  until([this] { return destroyed_ == 1; });
  EXPECT_TRUE(server_->empty());
}

TEST_F(TcpServerTest, ClosesWhatIsAboveTheLimitAndSaysSo) {
  start({.max_clients = 2});
  const FileDescriptor first = join(), second = join();
  EXPECT_EQ(read_to_end(connect()), "");
  EXPECT_EQ(server_->counters().refused, 1u);
  EXPECT_EQ(server_->size(), 2u);
  EXPECT_THAT(log_lines_, HasSubstr(" refused: full: 2 clients (--max-clients)\n"));
}

TEST_F(TcpServerTest, ThereIsRoomAgainWhenOneHasLeft) {
  start({.max_clients = 1, .limit_option = "--max-readers"});
  FileDescriptor first = join();
  EXPECT_EQ(read_to_end(connect()), "");
  EXPECT_THAT(log_lines_, HasSubstr(" refused: full: 1 client (--max-readers)\n"));
  first.reset();
  until([this] { return gone_ == 1; });
  join();
  EXPECT_EQ(server_->counters().accepted, 2u);
}

TEST_F(TcpServerTest, TellsSomeThatThereIsNoRoom) {
  start({.max_clients = 1, .told_when_full = 1});
  const FileDescriptor first = join();
  EXPECT_EQ(read_to_end(connect()), "no room");
  until([this] { return gone_ == 1; });
  // Who is told takes the place of nobody.
  EXPECT_EQ(server_->size(), 1u);
  EXPECT_EQ(read_to_end(connect()), "no room");
  EXPECT_EQ(server_->counters().refused, 2u);
}

TEST_F(TcpServerTest, SeveralShareALimit) {
  std::atomic<std::size_t> count{0};
  start({.max_clients = 1, .shared_count = &count});
  const FileDescriptor first = join();
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(read_to_end(connect()), "");
  server_.reset();
  EXPECT_EQ(count, 0u);
  count = 1;
  start({.max_clients = 1, .shared_count = &count});
  EXPECT_EQ(read_to_end(connect()), "");
}

TEST_F(TcpServerTest, ClosesWhoIsNotLetIn) {
  start({.access = AccessList({}, {"127.0.0.0/8"})});
  EXPECT_EQ(read_to_end(connect()), "");
  EXPECT_EQ(server_->counters().denied, 1u);
  EXPECT_EQ(made_, 0);
}

TEST_F(TcpServerTest, EndsWhoSaysNothing) {
  start({.idle_timeout = 100ms});
  on_received_ = [](Client& client) { client.write("still here"); };
  const TimePoint begin = clock_.now();
  const FileDescriptor fd = join();
  loop_.run_once(50ms);
  send(fd, "x");
  EXPECT_EQ(read_to_end(fd), "still here");
  EXPECT_GE(clock_.now() - begin, 150ms);
  EXPECT_EQ(server_->counters().idle, 1u);
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(TcpServerTest, WhoIsNotReadFromIsNotSilent) {
  start({.idle_timeout = 100ms});
  const FileDescriptor fd = join();
  only().pause_reading();
  send(fd, "x");
  for (int i = 0; i < 3; ++i) {
    clock_.advance(150ms);
    loop_.run_once(0ms);
  }
  ASSERT_EQ(gone_, 0);
  only().resume_reading();
  until([this] { return heard_ == "x"; });
  EXPECT_EQ(read_to_end(fd), "");
  EXPECT_EQ(server_->counters().idle, 1u);
}

TEST_F(TcpServerTest, DoesNotReadFromWhoDoesNotReadItsAnswers) {
  start({.low_water = 1000, .high_water = 100'000});
  on_received_ = [](Client& client) { client.write(std::string(1 << 20, 'a')); };
  const FileDescriptor fd = join();
  for (int i = 0; i < 1000 && backed_up_ == 0; ++i) {
    send(fd, "q");
    loop_.run_once(10ms);
  }
  ASSERT_EQ(backed_up_, 1);
  EXPECT_TRUE(only().backed_up());
  const std::size_t heard = heard_.size();
  send(fd, "more");
  for (int i = 0; i < 5; ++i) loop_.run_once(10ms);
  EXPECT_EQ(heard_.size(), heard);
  on_received_ = nullptr;
  std::string read(1 << 20, ' ');
  until([&] {
    static_cast<void>(::recv(fd.get(), read.data(), read.size(), MSG_DONTWAIT));
    return heard_.ends_with("more");
  });
  EXPECT_EQ(drained_, 1);
}

TEST_F(TcpServerTest, DoesNotWaitForWhoTakesNothingOfTheRest) {
  start({.max_clients = 16});
  on_received_ = [](Client& client) {
    client.write(std::string(32 << 20, 'a'));
    client.close();
  };
  const FileDescriptor idle = join(), slow = join();
  send(idle, "q");
  send(slow, "q");
  until([this] { return heard_ == "qq"; });
  std::string buffer(1 << 20, ' ');
  std::size_t taken = 0;
  for (const std::size_t left : {2u, 1u, 1u}) {
    EXPECT_EQ(server_->size(), left);
    for (const std::size_t enough = taken + (8 << 20); taken < enough;) {
      const ssize_t size = ::recv(slow.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      taken += static_cast<std::size_t>(std::max<ssize_t>(size, 0));
      loop_.run_once(1ms);
    }
    clock_.advance(61s);
    loop_.run_once(1ms);
  }
  EXPECT_EQ(server_->counters().idle, 1u);
  EXPECT_EQ(taken + read_to_end(slow).size(), 32u << 20);
  until([this] { return server_->empty(); });
  EXPECT_EQ(server_->counters().idle, 1u);
}

TEST_F(TcpServerTest, ReadsNoFasterThanTheRate) {
  start({.rate = 20});
  on_received_ = [](Client& client) { client.write("a"); };
  const FileDescriptor fd = join();
  const TimePoint begin = clock_.now();
  for (int i = 0; i < 25; ++i) {
    send(fd, "q");
    const std::size_t before = heard_.size();
    until([&] { return heard_.size() > before; });
  }
  EXPECT_GT(server_->counters().delayed, 0u);
  EXPECT_GE(clock_.now() - begin, 50ms);
}

TEST_F(TcpServerTest, WhatACommandPausesStaysPaused) {
  start();
  const FileDescriptor fd = join();
  only().pause_reading();
  send(fd, "x");
  for (int i = 0; i < 3; ++i) loop_.run_once(5ms);
  EXPECT_EQ(heard_, "");
  only().resume_reading();
  until([this] { return heard_ == "x"; });
}

TEST_F(TcpServerTest, AcceptsNoMoreButServesWhoIsThere) {
  start();
  const FileDescriptor fd = join();
  const Endpoint local = server_->locals().at(0);
  server_->stop_accepting();
  const FileDescriptor late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(late.get(), local.data(), local.size()), 0);
  send(fd, "x");
  until([this] { return heard_ == "x"; });
}

TEST_F(TcpServerTest, TakesNoUnixSocketAwayButItsOwn) {
  const test::TempFolder folder;
  const std::string path = folder / "socket";
  const AddressSpec address = AddressSpec::parse("unix:" + path, AddressRole::any_server);
  start().listen(address);
  server_->stop_accepting();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  start().listen(address);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  TcpServer other(loop_, log_, {}, [](const Endpoint&) { return nullptr; });
  other.listen(address);
  server_->stop_accepting();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
}

TEST_F(TcpServerTest, SaysOnceThatNobodyIsLeft) {
  start();
  int empty = 0;
  server_->when_empty([&] { ++empty; });
  EXPECT_EQ(empty, 1);
  FileDescriptor first = join(), second = join();
  server_->when_empty([&] { ++empty; });
  first.reset();
  until([this] { return gone_ == 1; });
  EXPECT_EQ(empty, 1);
  second.reset();
  until([&] { return empty == 2; });
  EXPECT_EQ(gone_, 2);
}

TEST_F(TcpServerTest, RaisesTheLimitOnDescriptorsForWhatItPromises) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{128, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  start({.max_clients = 16});
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, 128u);
  start({.max_clients = 65'536});
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(TcpServerTest, SaysThatDescriptorsAreUsedUp) {
  start();
  FileDescriptor waiting(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const FileDescriptor highest(::dup(waiting.get()));
  const Endpoint local = server_->locals().at(0);
  const rlimit tight{static_cast<rlim_t>(highest.get()) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  static_cast<void>(::connect(waiting.get(), local.data(), local.size()));
  until([this] { return server_->counters().refused == 1; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(log_lines_, "cannot accept a connection: too many open files\n");
  join();
}

class TcpServerTlsTest : public TcpServerTest {
 protected:
  // Makes plain streams, but says that they are ready only when it is told to.
  struct LateMaker : StreamMaker {
    std::unique_ptr<ByteStream> make_stream(
        EventLoop& loop, FileDescriptor socket, const Endpoint& peer, ByteStream::Handler& handler,
        const std::string& server_name,
        std::function<void(std::string_view alpn)> on_ready) override {
      EXPECT_EQ(server_name, "");
      ready = std::move(on_ready);
      return make_tcp_stream(loop, std::move(socket), peer, handler);
    }
    std::function<void(std::string_view)> ready;
  };
  std::shared_ptr<LateMaker> maker_ = std::make_shared<LateMaker>();
};

TEST_F(TcpServerTlsTest, AConnectionIsOpenWhenHandsAreShaken) {
  start({.tls = maker_});
  const FileDescriptor fd = connect();
  until([this] { return made_ == 1; });
  EXPECT_EQ(opened_, 0);
  maker_->ready("h2");
  EXPECT_EQ(opened_, 1);
}

TEST_F(TcpServerTlsTest, AHandshakeHasADeadline) {
  start({.handshake_timeout = 20ms, .handshake_option = "--frame-timeout", .tls = maker_});
  EXPECT_EQ(read_to_end(connect()), "");
  EXPECT_EQ(server_->counters().handshake_timeouts, 1u);
  EXPECT_THAT(log_lines_, HasSubstr("TLS handshake took longer than 20ms (--frame-timeout)\n"));
}

}  // namespace
}  // namespace netkit
