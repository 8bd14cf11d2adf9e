// Names with several addresses, of which some are dead. getaddrinfo is the test's: the names below
// have the addresses that a test gives them.
#include "util/blocking_call.hpp"

#include <condition_variable>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace {

// What the names of the tests resolve to; queries for `hung.test` wait until they are let go.
struct FakeNames {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::vector<std::string>> addresses;
  bool hold = false;
  int held = 0;
};

FakeNames& names() {
  static FakeNames instance;
  return instance;
}

}  // namespace

extern "C" NETKIT_API int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                      addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  FakeNames& fake = names();
  std::unique_lock lock(fake.mutex);
  const auto found = fake.addresses.find(host != nullptr ? host : "");
  if (found == fake.addresses.end()) {
    lock.unlock();
    return real(host, service, hints, result);
  }
  if (fake.hold) {
    ++fake.held;
    fake.changed.notify_all();
    fake.changed.wait(lock, [&fake] { return !fake.hold; });
    --fake.held;
    fake.changed.notify_all();
  }
  addrinfo** end = result;
  for (const std::string& address : found->second) {
    if (const int code = real(address.c_str(), service, hints, end); code != 0) return code;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return 0;
}

namespace netkit {
namespace {

using namespace std::chrono_literals;

class ConnectorTest : public testing::Test {
 protected:
  void SetUp() override { listen_on("127.0.0.3"); }
  void TearDown() override {
    const std::lock_guard lock(names().mutex);
    names().addresses.clear();
  }

  void name_has(std::vector<std::string> addresses) {
    const std::lock_guard lock(names().mutex);
    names().addresses["many.test"] = std::move(addresses);
  }
  void listen_on(const std::string& address) {
    live_ = listen_tcp(*Endpoint::parse(address + ":" + std::to_string(port_)));
    port_ = local_endpoint(live_.get()).port();
  }
  // A listener whose queue is full: the kernel drops what else knocks, as a dead host would.
  void make_dead(const std::string& address) {
    dead_ = listen_tcp(*Endpoint::parse(address + ":" + std::to_string(port_)), false, 0);
    const Endpoint endpoint = local_endpoint(dead_.get());
    for (int i = 0; i < 3; ++i) {
      fillers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(::connect(fillers_.back().get(), endpoint.data(), endpoint.size()));
    }
  }
  void connect(Duration timeout = 10s, Transport transport = Transport::tcp) {
    done_ = false;
    const AddressSpec target{
        .host = "many.test", .port = port_, .sources = sources_, .transport = transport};
    connector_.connect(target, timeout, [this](ConnectResult result) {
      result_ = std::move(result);
      done_ = true;
    });
  }
  void wait() {
    const auto deadline = clock_.now() + 10s;
    while (!done_ && clock_.now() < deadline) loop_.run_once(20ms);
    ASSERT_TRUE(done_);
  }
  std::string at(const std::string& address) const { return address + ":" + std::to_string(port_); }

  std::vector<Endpoint> sources_;
  SystemClock clock_;
  EventLoop loop_{clock_};
  TcpConnector connector_{loop_};
  FileDescriptor live_, dead_;
  std::vector<FileDescriptor> fillers_;
  std::uint16_t port_ = 0;
  ConnectResult result_;
  bool done_ = false;
};

TEST_F(ConnectorTest, ADeadFirstAddressDelaysTheNextAndNoMore) {
  make_dead("127.0.0.2");
  name_has({"127.0.0.2", "127.0.0.3"});
  connect();
  wait();
  EXPECT_EQ(result_.error, "");
  EXPECT_EQ(result_.peer.to_string(), at("127.0.0.3"));
}

TEST_F(ConnectorTest, ARefusalMovesOnAtOnce) {
  name_has({"127.0.0.4", "127.0.0.5", "127.0.0.3"});
  connect();
  wait();
  EXPECT_EQ(result_.peer.to_string(), at("127.0.0.3"));
  EXPECT_TRUE(result_.socket);
}

TEST_F(ConnectorTest, TheFirstThatAnswersWins) {
  name_has({"127.0.0.3", "127.0.0.4"});
  connect();
  wait();
  EXPECT_EQ(result_.peer.to_string(), at("127.0.0.3"));
}

TEST_F(ConnectorTest, WhenAllRefuseTheLastIsNamed) {
  name_has({"127.0.0.4", "127.0.0.5"});
  connect();
  wait();
  EXPECT_EQ(result_.status, ExitStatus::unreachable);
  EXPECT_EQ(result_.error_number, ECONNREFUSED);
  EXPECT_EQ(result_.error, at("many.test") + ": connection refused (" + at("127.0.0.5") + ")");
}

TEST_F(ConnectorTest, ARefusalDoesNotEndAnAttemptThatIsUnderWay) {
  make_dead("127.0.0.2");
  name_has({"127.0.0.2", "127.0.0.4"});
  connect(600ms);
  wait();
  EXPECT_EQ(result_.error_number, ETIMEDOUT);
  EXPECT_EQ(result_.status, ExitStatus::unreachable);
}

TEST_F(ConnectorTest, ConnectsFromTheAddressThatItIsBoundTo) {
  name_has({"::1", "127.0.0.3"});
  sources_ = {*Endpoint::parse("127.0.0.8:0")};
  connect();
  wait();
  EXPECT_EQ(result_.error, "");
  EXPECT_EQ(local_endpoint(result_.socket.get()).address(), *IpAddress::parse("127.0.0.8"));
}

TEST_F(ConnectorTest, NeverConnectsToItself) {
  live_.reset();
  name_has({"127.0.0.3"});
  sources_ = {*Endpoint::parse(at("127.0.0.3"))};
  for (int i = 0; i < 2; ++i) {  // nor does it hold the port
    connect();
    wait();
    EXPECT_EQ(result_.error_number, ECONNREFUSED) << result_.error;
  }
}

TEST_F(ConnectorTest, SaysWhatItCannotBeBoundTo) {
  name_has({"127.0.0.3"});
  sources_ = {*Endpoint::parse("192.0.2.1:0")};
  connect();
  wait();
  EXPECT_EQ(result_.error_number, EADDRNOTAVAIL);
  EXPECT_EQ(result_.why, "cannot bind tcp 192.0.2.1:0: cannot assign requested address");
}

TEST_F(ConnectorTest, APortForDatagramsIsNobodyElses) {
  name_has({"127.0.0.3"});
  sources_ = {*Endpoint::parse("127.0.0.1:0")};
  connect(10s, Transport::udp);
  wait();
  const FileDescriptor first = std::move(result_.socket);
  sources_ = {local_endpoint(first.get())};
  connect(10s, Transport::udp);
  wait();
  EXPECT_EQ(result_.error_number, EADDRINUSE);
}

TEST_F(ConnectorTest, TheTimeIsLimited) {
  make_dead("127.0.0.2");
  name_has({"127.0.0.2"});
  connect(30ms);
  wait();
  EXPECT_EQ(result_.error_number, ETIMEDOUT);
  EXPECT_EQ(result_.error, at("many.test") + ": no connection within 30ms (--connect-timeout)");
}

TEST_F(ConnectorTest, ACancelledAttemptSaysNothing) {
  name_has({"127.0.0.3"});
  connect();
  connector_.cancel();
  for (int i = 0; i < 5; ++i) loop_.run_once(10ms);
  EXPECT_FALSE(done_);
}

TEST_F(ConnectorTest, ANewAttemptReplacesTheOneBefore) {
  make_dead("127.0.0.2");
  name_has({"127.0.0.2"});
  connect();
  loop_.run_once(10ms);
  name_has({"127.0.0.3"});
  connect();
  wait();
  EXPECT_EQ(result_.peer.to_string(), at("127.0.0.3"));
}

TEST_F(ConnectorTest, ItMayBeDestroyedInItsCallback) {
  name_has({"127.0.0.3"});
  auto connector = std::make_unique<TcpConnector>(loop_);
  connector->connect(AddressSpec{"many.test", port_}, 10s, [&](ConnectResult) {
    connector.reset();
    done_ = true;
  });
  wait();
  EXPECT_FALSE(connector);
}

TEST_F(ConnectorTest, AddressesComeInTheSystemsOrderWithoutDuplicates) {
  name_has({"127.0.0.9", "::1", "127.0.0.9", "127.0.0.3"});
  std::vector<std::string> texts;
  for (const Endpoint& endpoint : resolve(AddressSpec{"many.test", 80}))
    texts.push_back(endpoint.to_string());
  EXPECT_EQ(texts, (std::vector<std::string>{"127.0.0.9:80", "[::1]:80", "127.0.0.3:80"}));
}

TEST_F(ConnectorTest, OfLocalhostTheIpv4AddressComesFirst) {
  for (const char* name : {"localhost", "LocalHost.", "app.localhost", "notlocalhost"}) {
    names().addresses[name] = {"::1", "127.0.0.1"};
    const bool ipv4_first = std::string(name) != "notlocalhost";
    EXPECT_EQ(resolve(AddressSpec{name, 80}).front().to_string(),
              ipv4_first ? "127.0.0.1:80" : "[::1]:80")
        << name;
    names().addresses.erase(name);
  }
}

TEST_F(ConnectorTest, AFamilyLeavesTheOtherOut) {
  const auto first = [](AddressSpec spec, AddressFamily family) {
    spec.family = family;
    return resolve(spec).front().to_string();
  };
  EXPECT_EQ(first({"127.0.0.1", 80}, AddressFamily::v4), "127.0.0.1:80");
  EXPECT_EQ(first({"", 80}, AddressFamily::v6), "[::1]:80");
  EXPECT_EQ(first({"", 80, true}, AddressFamily::v6), "[::]:80");
  EXPECT_THROW(first({"127.0.0.1", 80}, AddressFamily::v6), Error);
  EXPECT_THROW(first({"::1", 80}, AddressFamily::v4), Error);
}

TEST_F(ConnectorTest, LocalhostNeedsNoResolver) {
  names().addresses["localhost"] = {};
  EXPECT_EQ(resolve(AddressSpec{"localhost", 80}).front().to_string(), "127.0.0.1:80");
  names().addresses.erase("localhost");
}

TEST_F(ConnectorTest, ANumericAddressKeepsItsZone) {
  const auto endpoints = resolve(AddressSpec{"fe80::1%lo", 80});
  ASSERT_EQ(endpoints.size(), 1U);
  EXPECT_EQ(endpoints[0].to_string(), "[fe80::1%lo]:80");
}

TEST_F(ConnectorTest, ResolvingEndsWithTheDeadlineOfTheRun) {
  name_has({"127.0.0.1"});
  {
    const std::lock_guard lock(names().mutex);
    names().hold = true;
  }
  BlockingCall::set_deadline(clock_.now() + 30ms);
  try {
    resolve(AddressSpec{.host = "many.test", .port = 7});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::timeout);
    EXPECT_STREQ(error.what(), "cannot resolve 'many.test': --timeout has passed");
  }
  BlockingCall::set_deadline(TimePoint::max());
  std::unique_lock lock(names().mutex);
  names().changed.wait(lock, [] { return names().held == 1; });
  names().hold = false;
  names().changed.notify_all();
  names().changed.wait(lock, [] { return names().held == 0; });
}

TEST_F(ConnectorTest, AQueryThatHangsHoldsNobodyUp) {
  name_has({"127.0.0.3"});
  FakeNames& fake = names();
  fake.hold = true;
  auto resolver = std::make_unique<AsyncResolver>(loop_);
  bool answered = false;
  resolver->resolve(AddressSpec{"many.test", 80},
                    [&](const std::vector<Endpoint>&, const std::string&) { answered = true; });
  {
    std::unique_lock lock(fake.mutex);
    fake.changed.wait(lock, [&fake] { return fake.held == 1; });
  }
  resolver.reset();  // would hang here
  {
    std::unique_lock lock(fake.mutex);
    fake.hold = false;
    fake.changed.notify_all();
    fake.changed.wait(lock, [&fake] { return fake.held == 0; });
  }
  loop_.run_once(10ms);
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace netkit
