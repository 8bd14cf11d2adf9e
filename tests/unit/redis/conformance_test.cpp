#include "support/temp_folder.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <memory>
#include <netinet/in.h>
#include <redis/engine.hpp>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <netkit/store/conformance.hpp>

namespace netkit::test {

// One for all tests, on a port that is free.
class RedisServer {
 public:
  RedisServer() {
    for (int i = 0; i < 50 && !start(); ++i) stop();
  }
  ~RedisServer() { stop(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  // Below the ports that are given to who asks for any.
  bool start() {
    port_ = static_cast<int>(10000 + (static_cast<unsigned>(::getpid()) * 7 + attempts_++) % 20000);
    const std::string port = std::to_string(port_);
    child_ = ::fork();
    if (child_ == 0) {
      ::execlp("redis-server", "redis-server", "--port", port.c_str(), "--bind", "127.0.0.1",
               "--save", "", "--dir", (folder_ / "").c_str(), "--logfile",
               (folder_ / "log").c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    for (int i = 0; i < 500 && ::waitpid(child_, nullptr, WNOHANG) == 0; ++i) {
      if (answers()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool answers() const {
    const FileDescriptor fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port_));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  void stop() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

  TempFolder folder_;
  int port_ = 0;
  unsigned attempts_ = 0;
  pid_t child_ = 0;
};

class RedisBench final : public store::Bench {
 public:
  RedisBench() {
    static unsigned prefixes = 0;
    static RedisServer server;
    url_ = "redis://" + server.address() + "/t" + std::to_string(++prefixes);
  }
  std::string url() override { return url_; }
  store::MakeEngine maker(const store::Surroundings& around) override {
    return [around](const store::Settings& settings, store::Engine::Handler& handler) {
      return redis::make_engine(around, settings, handler);
    };
  }

 private:
  std::string url_;
};

}  // namespace netkit::test

namespace netkit::store {
namespace {

class RedisEngineTest : public Conformance {};

// A page of them is more than an answer may have.
TEST_P(RedisEngineTest, ReadsLargeEntriesInSmallerPages) {
  const auto ann = peer();
  for (int i = 0; i < 35; ++i) ASSERT_TRUE(ann->append(Texts{std::string(2 << 20, 'x')}));
  Settings settings{.newest = 100};
  settings.reconnect.limit = Reconnect::kForever;
  EXPECT_EQ(peer(settings)->numbers().size(), 35u);
}

// More fields than a script can pass on.
TEST_P(RedisEngineTest, TakesNoBatchBehindOneThatIsRefused) {
  const auto ann = peer();
  ASSERT_TRUE(ann->append(Texts{"a"}));
  Entry bad = Peer::entry("b");
  bad.fields.assign(5000, {"name", "x"});
  ann->give({bad});
  ann->give({Peer::entry("c"), Peer::entry("d")});
  EXPECT_TRUE(ann->wait([&] { return !ann->refusal.empty(); }));
  EXPECT_EQ(peer({.newest = 10})->texts(), Texts{"a"});
  ASSERT_TRUE(ann->append(Texts{"e"}));
  EXPECT_EQ(peer({.newest = 10})->texts(), (Texts{"a", "e"}));
}

INSTANTIATE_TEST_SUITE_P(Redis, RedisEngineTest, ::testing::Values([]() -> std::unique_ptr<Bench> {
                           return std::make_unique<test::RedisBench>();
                         }));

}  // namespace
}  // namespace netkit::store

NETKIT_STORE_CONFORMANCE(Redis, netkit::test::RedisBench)
