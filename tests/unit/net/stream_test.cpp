#include "net/tcp_listener.hpp"
#include "support/refused_call.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

// Remembers what happens to a stream.
struct Recorder : ByteStream::Handler {
  void on_data(ByteStream& stream, std::string_view data) override {
    heard.append(data);
    if (echo) stream.write(data);
  }
  void on_end(ByteStream& stream) override {
    ended = true;
    stream.shutdown_write();
    stream.close();
  }
  void on_closed(ByteStream& /*stream*/, int error_number, std::string_view /*reason*/) override {
    closed = true;
    error = error_number;
  }
  void on_high_water(ByteStream& /*stream*/) override { ++high; }
  void on_low_water(ByteStream& /*stream*/) override { ++low; }

  std::string heard;
  bool echo = false, ended = false, closed = false;
  int error = -1, high = 0, low = 0;
};

class StreamTest : public testing::Test {
 protected:
  // Two connected streams over loopback: what the server side and what the client side of one
  // connection see.
  void SetUp() override {
    listener_ = std::make_unique<TcpListener>(loop_, listen_tcp(*Endpoint::parse("127.0.0.1:0")),
                                              [this](FileDescriptor fd, const Endpoint& peer) {
                                                server_ = make_tcp_stream(loop_, std::move(fd),
                                                                          peer, server_side_);
                                              });
    connect_to(listener_->local());
    until([this] { return server_ && client_; });
  }

  void connect_to(const Endpoint& endpoint) {
    connector_.connect(AddressSpec{"127.0.0.1", endpoint.port()}, 5s, [this](ConnectResult result) {
      result_ = std::move(result);
      if (result_.socket)
        client_ = make_tcp_stream(loop_, std::move(result_.socket), result_.peer, client_side_);
    });
  }

  template <typename Condition>
  void until(Condition condition) {
    const auto deadline = clock_.now() + 10s;
    while (!condition() && clock_.now() < deadline) loop_.run_once(50ms);
    ASSERT_TRUE(condition());
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  TcpConnector connector_{loop_};
  ConnectResult result_;
  Recorder server_side_, client_side_;
  std::unique_ptr<TcpListener> listener_;
  std::unique_ptr<ByteStream> server_, client_;
};

TEST_F(StreamTest, WhatOneWritesTheOtherHears) {
  client_->write("hello");
  until([this] { return server_side_.heard == "hello"; });
}

TEST_F(StreamTest, ThreeMegabytesComeBackWhole) {
  server_side_.echo = true;
  std::string sent;
  for (std::size_t i = 0; i < 3'000'000; ++i) sent.push_back(static_cast<char>(i * 7 + i / 251));
  client_->write(sent);
  until([&] { return client_side_.heard.size() == sent.size(); });
  EXPECT_EQ(client_side_.heard, sent);
}

TEST_F(StreamTest, APayloadIsSharedByItsReceivers) {
  const auto payload = std::make_shared<const std::string>(32'000'000, 'x');
  client_->write(payload);
  EXPECT_GT(payload.use_count(), 1);
  until([&] { return server_side_.heard.size() == payload->size(); });
  EXPECT_EQ(payload.use_count(), 1);
}

TEST_F(StreamTest, WritesOfBothKindsKeepTheirOrder) {
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string small = "small " + std::to_string(i);
    const auto large = std::make_shared<const std::string>(20'000, static_cast<char>('a' + i % 26));
    client_->write(small);
    client_->write(large);
    expected += small + *large;
  }
  until([&] { return server_side_.heard.size() == expected.size(); });
  EXPECT_EQ(server_side_.heard, expected);
}

// A peer that cannot get rid of what it says may not take the rest.
TEST_F(StreamTest, WhoHasPausedHearsItsPeerOutOnceItCloses) {
  client_->pause_reading();
  server_->pause_reading();
  const std::string much(32'000'000, 'x');
  client_->write(much);
  server_->write(much);
  client_->close();
  until([this] { return server_->queued() == 0; });
  server_->resume_reading();
  until([&] { return server_side_.heard.size() == much.size(); });
}

TEST_F(StreamTest, HalfCloseIsSeenAndTheRestIsStillSent) {
  server_side_.echo = true;
  const std::string sent(500'000, 'y');
  client_->write(sent);
  client_->shutdown_write();
  until([this] { return client_side_.ended && server_side_.closed; });
  EXPECT_EQ(client_side_.heard, sent);
  EXPECT_EQ(server_side_.error, 0);
}

TEST_F(StreamTest, CloseSendsWhatIsQueuedFirst) {
  const std::string sent(4'000'000, 'z');
  client_->write(sent);
  client_->close();
  until([this] { return client_side_.closed && server_side_.ended; });
  EXPECT_EQ(server_side_.heard.size(), sent.size());
  EXPECT_EQ(client_side_.error, 0);
}

TEST_F(StreamTest, WhatIsUnreadAtTheEndDoesNotTakeTheLastWordsBack) {
  server_->pause_reading();
  client_->write("nobody reads this");
  loop_.run_once(10ms);
  server_->write("bye");
  server_->close();
  until([this] { return client_side_.closed; });
  EXPECT_EQ(client_side_.heard, "bye");
  EXPECT_TRUE(client_side_.ended);
  EXPECT_EQ(client_side_.error, 0);
}

TEST_F(StreamTest, WhatIsWrittenAfterShutdownIsIgnored) {
  client_->write("all");
  client_->shutdown_write();
  client_->write("too late");
  until([this] { return server_side_.closed; });
  EXPECT_EQ(server_side_.heard, "all");
  until([this] { return client_side_.closed; });
  EXPECT_EQ(client_side_.error, 0);
}

TEST_F(StreamTest, AResetIsReportedOnce) {
  client_->write("x");
  until([this] { return !server_side_.heard.empty(); });
  server_->pause_reading();
  client_->write("unread");
  loop_.run_once(10ms);
  server_->abort();  // unread bytes make the kernel send RST
  until([this] { return client_side_.closed; });
  EXPECT_EQ(client_side_.error, ECONNRESET);
  EXPECT_FALSE(server_side_.closed);
}

TEST_F(StreamTest, ASlowReaderCostsAHighMarkAndThenALowOne) {
  server_->pause_reading();
  client_->set_water_marks(1000, 100'000);
  for (int i = 0; i < 1000 && client_side_.high == 0; ++i) client_->write(std::string(65536, 'w'));
  EXPECT_EQ(client_side_.high, 1);
  server_->resume_reading();
  until([this] { return client_side_.low == 1; });
  EXPECT_LE(client_->queued(), 1000U);
}

TEST_F(StreamTest, AStreamMayBeDestroyedInItsCallback) {
  struct Destroyer : ByteStream::Handler {
    void on_data(ByteStream& /*stream*/, std::string_view /*data*/) override { mine.reset(); }
    void on_closed(ByteStream& /*stream*/, int /*error*/, std::string_view /*reason*/) override {}
    std::unique_ptr<ByteStream> mine;
  } destroyer;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  const FileDescriptor far(fds[1]);
  destroyer.mine = make_tcp_stream(loop_, FileDescriptor(fds[0]), Endpoint(), destroyer);
  ASSERT_EQ(::write(far.get(), "x", 1), 1);
  until([&] { return !destroyer.mine; });
}

TEST_F(StreamTest, ARefusedConnectionSaysSo) {
  const Endpoint gone = listener_->local();
  listener_->close();
  client_.reset();
  connect_to(gone);
  until([this] { return !result_.error.empty(); });
  EXPECT_EQ(result_.status, ExitStatus::unreachable);
  EXPECT_EQ(result_.error, gone.to_string() + ": connection refused");
}

TEST_F(StreamTest, ASecondListenerOnThePortIsRefused) {
  try {
    listen_tcp(listener_->local());
    FAIL() << "bound twice";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.status(), ExitStatus::unreachable);
    EXPECT_EQ(std::string(error.what()),
              "cannot bind tcp " + listener_->local().to_string() + ": address already in use");
  }
}

TEST_F(StreamTest, WithoutDescriptorsTheListenerBacksOffAndSurvives) {
  int exhausted = 0;
  int accepted = 0;
  std::vector<FileDescriptor> kept;
  TcpListener listener(
      loop_, listen_tcp(*Endpoint::parse("127.0.0.1:0")),
      [&](FileDescriptor fd, const Endpoint&) {
        ++accepted;
        kept.push_back(std::move(fd));
      },
      [&](int error) {
        EXPECT_EQ(error, EMFILE);
        ++exhausted;
      });
  FileDescriptor waiting(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const FileDescriptor highest(::dup(waiting.get()));
  const rlimit tight{static_cast<rlim_t>(highest.get()) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  static_cast<void>(::connect(waiting.get(), listener.local().data(), listener.local().size()));
  until([&] { return exhausted == 1; });
  const auto wakeups = loop_.counters().wakeups;
  for (int i = 0; i < 5; ++i) loop_.run_once(10ms);
  EXPECT_LE(loop_.counters().wakeups, wakeups + 6);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  const FileDescriptor next(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  static_cast<void>(::connect(next.get(), listener.local().data(), listener.local().size()));
  until([&] { return accepted == 1; });
}

TEST_F(StreamTest, ANameThatDoesNotResolveIsAnErrorOfItsOwn) {
  client_.reset();
  connector_.connect(AddressSpec{"no-such-host.invalid", 80}, 10s,
                     [this](ConnectResult result) { result_ = std::move(result); });
  until([this] { return !result_.error.empty(); });
  EXPECT_EQ(result_.status, ExitStatus::name);
  EXPECT_EQ(result_.error.rfind("cannot resolve 'no-such-host.invalid': ", 0), 0U);
}

TEST(ResolveApart, ANameIsNotResolvedWhereThereIsNoThreadForIt) {
  ConnectResult result;
  std::thread([&result] {
    test::refuse_call(SYS_clone3, EAGAIN);
    test::refuse_call(SYS_clone, EAGAIN);
    const SystemClock clock;
    EventLoop loop(clock);
    TcpConnector connector(loop);
    connector.connect(AddressSpec{"no-such-host.invalid", 80}, 10s,
                      [&result](ConnectResult got) { result = std::move(got); });
    loop.run_once(1s);
  }).join();
  EXPECT_EQ(result.status, ExitStatus::name);
  EXPECT_EQ(result.error,
            "cannot resolve 'no-such-host.invalid': resource temporarily unavailable");
}

// What a socket of datagrams had no room for is dropped with the failure of its first.
TEST(DatagramStreamTest, SurvivesARefusalOfWhatWaits) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  FileDescriptor far(fds[1]);
  const SystemClock clock;
  EventLoop loop(clock);
  Recorder recorder;
  ConnectResult result;
  result.socket.reset(fds[0]);
  result.transport = Transport::udp;
  const auto stream = make_stream(loop, std::move(result), recorder);
  for (int i = 0; i < 500; ++i) stream->write(std::string(1000, 'x'));
  far.reset();
  for (int i = 0; i < 10 && !recorder.closed; ++i) loop.run_once(100ms);
  EXPECT_TRUE(recorder.closed);
  EXPECT_EQ(recorder.error, ECONNREFUSED);
}

TEST(Resolve, AServersEveryInterfaceIsTwoAddresses) {
  const auto endpoints = resolve(AddressSpec{"", 80, true});
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].to_string(), "0.0.0.0:80");
  EXPECT_EQ(endpoints[1].to_string(), "[::]:80");
}

}  // namespace
}  // namespace netkit
