// Servers by pre-shared keys, and those who come without one or say nothing.
#include "support/refused_call.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/net/needs_key.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/fake_host.hpp>
#include <netkit/tls/tls.hpp>

namespace netkit::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PskServerTest : public testing::Test {
 protected:
  struct Client : TcpServer::Connection {
    explicit Client(PskServerTest& owner) : test(owner) {}
    void on_open(std::string_view) override { ++test.opened_; }
    void on_received(std::string_view) override {}
    PskServerTest& test;
  };

  void start(bool also_clear) {
    const PskKeys keys = PskKeys::parse("ann:" + std::string(64, '1'), "keys");
    TcpServer::Options options;
    options.tls = TlsContext::server({.psk_keys = keys, .also_clear = also_clear});
    log_.redirect([this](std::string_view line) { lines_ += line; });
    server_ = std::make_unique<TcpServer>(
        loop_, log_, options, [this](const Endpoint&) { return std::make_unique<Client>(*this); });
    server_->listen(AddressSpec::parse("127.0.0.1:0", AddressRole::server));
    const Endpoint local = server_->locals().at(0);
    peer_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(peer_.get(), local.data(), local.size()), 0);
    until([this] { return server_->size() == 1; });
  }
  void say(std::string_view text) {
    ASSERT_EQ(::send(peer_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What comes before the end, where it comes.
  std::string heard() {
    std::string all;
    char buffer[64];
    for (;;) {
      const ssize_t count = ::recv(peer_.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(count));
    }
  }
  void pass(Duration time) {
    clock_.advance(time);
    loop_.run_once(Duration::zero());
  }
  template <typename Condition>
  void until(Condition condition) {
    const SystemClock real;
    const TimePoint deadline = real.now() + 20s;
    while (!condition() && real.now() < deadline) loop_.run_once(20ms);
    ASSERT_TRUE(condition());
  }

  FakeClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::notice};
  std::unique_ptr<TcpServer> server_;
  FileDescriptor peer_;
  std::string lines_;
  int opened_ = 0;
};

// As the control channel of netkit push has it.
TEST_F(PskServerTest, WhoSaysNothingIsGivenTenSeconds) {
  start(true);
  pass(9'900ms);
  EXPECT_EQ(server_->size(), 1U);
  pass(100ms);
  EXPECT_EQ(server_->size(), 0U);
  EXPECT_EQ(heard(), "");
  EXPECT_THAT(lines_, HasSubstr("closed: its TLS handshake took longer than 10s\n"));
}

// As where the kernel has no memory for another stream.
TEST_F(PskServerTest, WhoHasSaidNothingYetIsAbortedWhateverTheSystemLacks) {
  start(true);
  std::thread([this] {
    refuse_call(SYS_epoll_ctl, ENOMEM);
    EXPECT_NO_THROW(server_->for_each([](TcpServer::Connection& one) { one.abort(); }));
  }).join();
  EXPECT_EQ(server_->size(), 0u);
}

TEST_F(PskServerTest, WhoSpeaksInClearMayBeSilentForLong) {
  start(true);
  say("LIST\n");
  until([this] { return opened_ == 1; });
  pass(24h);
  EXPECT_EQ(server_->size(), 1U);
}

TEST_F(PskServerTest, WhoHasNoKeyIsToldSo) {
  start(false);
  say(std::string("\0\0\0\1\1", 5));
  until([this] { return server_->empty(); });
  EXPECT_EQ(heard(), kNeedsKeyAlert);
  EXPECT_THAT(lines_, HasSubstr(" refused: it is not encrypted, but this server requires a key "
                                "(--psk-file)\n"));
}

}  // namespace
}  // namespace netkit::test
