#include "unit/net/tls_fixture.hpp"

#include <array>
#include <string>

#include <openssl/ssl.h>

namespace netkit::test {
namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

// A wire between the two ends that passes on at most `step` bytes at a time.
class Wire {
 public:
  FileDescriptor left_end, right_end;

  Wire() {
    make(left_end, left_);
    make(right_end, right_);
  }
  void pump(std::size_t step) {
    pass(left_, right_, step);
    pass(right_, left_, step);
  }
  void cut() {
    left_.reset();
    right_.reset();
  }

 private:
  static void make(FileDescriptor& end, FileDescriptor& ours) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    end.reset(fds[0]);
    ours.reset(fds[1]);
  }
  static void pass(const FileDescriptor& from, const FileDescriptor& to, std::size_t step) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::recv(from.get(), buffer.data(), std::min(step, buffer.size()), 0);
    if (count > 0) {
      ASSERT_EQ(::send(to.get(), buffer.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL),
                count);
    }
  }

  FileDescriptor left_, right_;
};

TEST_F(TlsTest, WhatOneWritesTheOtherHears) {
  connect_good();
  client_.stream->write("hello");
  server_.stream->write(std::make_shared<const std::string>("welcome"));
  until([this] { return server_.heard == "hello" && client_.heard == "welcome"; });
}

TEST_F(TlsTest, WhatIsWrittenBeforeTheHandshakeIsSentAfterIt) {
  start_good();
  client_.stream->write("early");
  EXPECT_EQ(client_.stream->queued() >= 5, true);
  until([this] { return server_.heard == "early"; });
}

TEST_F(TlsTest, CloseBeforeTheHandshakeStillSendsWhatWaits) {
  start_good();
  client_.stream->write("last words");
  client_.stream->close();
  until([this] { return client_.closes == 1 && server_.closes == 1; });
  EXPECT_EQ(server_.heard, "last words");
  EXPECT_EQ(server_.ends, 1);
  EXPECT_EQ(client_.error, 0);
}

TEST_F(TlsTest, ThreeMegabytesComeBackWhole) {
  server_.echo = true;
  connect_good();
  const std::string sent = pattern(3'000'000);
  client_.stream->write(sent);
  until([&] { return client_.heard.size() == sent.size(); });
  EXPECT_EQ(client_.heard, sent);
}

TEST_F(TlsTest, AnyCutOfTheBytesGivesTheSame) {
  for (const std::size_t step : {1U, 2U, 5U, 16U, 100U, 1500U}) {
    Wire wire;
    client_.heard.clear();
    server_.heard.clear();
    make_server(std::move(wire.right_end), good_server());
    make_client(std::move(wire.left_end), trusting());
    client_.stream->write("from the client");
    server_.stream->write("from the server");
    while (server_.heard.size() + client_.heard.size() < 30) {
      wire.pump(step);
      loop_.run_once(0ns);
      ASSERT_EQ(server_.closes + client_.closes, 0);
    }
    EXPECT_EQ(server_.heard, "from the client");
    EXPECT_EQ(client_.heard, "from the server");
  }
}

TEST_F(TlsTest, HalfCloseIsSeenAndTheRestIsStillSent) {
  server_.echo = true;
  connect_good();
  const std::string sent = pattern(500'000);
  client_.stream->write(sent);
  client_.stream->shutdown_write();
  until([this] { return client_.ends == 1 && server_.closes == 1; });
  EXPECT_EQ(client_.heard, sent);
  EXPECT_EQ(server_.error, 0);
}

TEST_F(TlsTest, ShutdownDuringTheHandshakeIsDoneAfterIt) {
  start_good();
  client_.stream->write("all");
  client_.stream->shutdown_write();
  client_.stream->write("too late");
  until([this] { return server_.ends == 1; });
  EXPECT_EQ(server_.heard, "all");
}

TEST_F(TlsTest, CloseSendsWhatIsQueuedFirst) {
  connect_good();
  const std::string sent = pattern(4'000'000);
  client_.stream->write(sent);
  client_.stream->close();
  until([this] { return client_.closes == 1 && server_.ends == 1; });
  EXPECT_EQ(server_.heard, sent);
  EXPECT_EQ(client_.error, 0);
}

TEST_F(TlsTest, AStreamThatIsCutOffDoesNotLookFinished) {
  connect_good();
  server_.stream->write("half of the tru");
  until([this] { return !client_.heard.empty(); });
  server_.stream->abort();
  until([this] { return client_.closes == 1; });
  EXPECT_EQ(client_.error, ECONNRESET);
  EXPECT_EQ(client_.reason, "the peer closed the connection without ending TLS");
  EXPECT_EQ(client_.ends, 0);
}

TEST_F(TlsTest, ACutInTheMiddleOfARecordIsNoEndEither) {
  Wire wire;
  make_server(std::move(wire.right_end), good_server());
  make_client(std::move(wire.left_end), trusting());
  until([&] {
    wire.pump(4096);
    return client_.ready == 1 && server_.ready == 1;
  });
  server_.stream->write(pattern(1000));
  server_.stream->close();
  wire.pump(500);
  loop_.run_once(0ns);
  wire.cut();
  until([this] { return client_.closes == 1; });
  EXPECT_EQ(client_.error, ECONNRESET);
  EXPECT_EQ(client_.ends, 0);
  EXPECT_EQ(client_.heard, "");
}

TEST_F(TlsTest, NothingIsHeardWhilePausedAndNothingIsLost) {
  client_.pause_after = 1;
  connect_good();
  const std::string sent = pattern(600'000);
  server_.stream->write(sent);
  until([this] { return !client_.heard.empty(); });
  const std::size_t before = client_.heard.size();
  for (int i = 0; i < 5; ++i) loop_.run_once(1ms);
  EXPECT_EQ(client_.heard.size(), before);
  client_.pause_after = 0;
  client_.stream->resume_reading();
  until([&] { return client_.heard.size() == sent.size(); });
  EXPECT_EQ(client_.heard, sent);
}

TEST_F(TlsTest, WhatCameDuringAPauseIsHeardBeforeTheEnd) {
  connect_good();
  client_.stream->pause_reading();
  server_.stream->write("goodbye");
  server_.stream->close();
  until([this] { return server_.closes == 1; });
  EXPECT_EQ(client_.heard, "");
  client_.stream->resume_reading();
  until([this] { return client_.closes == 1; });
  EXPECT_EQ(client_.heard, "goodbye");
  EXPECT_EQ(client_.ends, 1);
  EXPECT_EQ(client_.error, 0);
}

TEST_F(TlsTest, APauseInTheLastDataHoldsTheEndBack) {
  client_.pause_after = 7;
  connect_good();
  server_.stream->write("goodbye");
  server_.stream->close();
  until([this] { return client_.heard == "goodbye" && server_.closes == 1; });
  for (int i = 0; i < 5; ++i) loop_.run_once(1ms);
  EXPECT_EQ(client_.ends, 0);
  client_.stream->resume_reading();
  until([this] { return client_.closes == 1; });
  EXPECT_EQ(client_.ends, 1);
  EXPECT_EQ(client_.error, 0);
}

TEST_F(TlsTest, ASlowReaderCostsAHighMarkAndThenALowOne) {
  connect_good();
  server_.stream->pause_reading();
  client_.stream->set_water_marks(1000, 100'000);
  for (int i = 0; i < 100 && client_.high == 0; ++i) client_.stream->write(pattern(65'536));
  EXPECT_EQ(client_.high, 1);
  EXPECT_EQ(client_.low, 0);
  server_.stream->resume_reading();
  until([this] { return client_.low == 1; });
  EXPECT_LE(client_.stream->queued(), 1000U);
}

TEST_F(TlsTest, TheMarksHoldDuringTheHandshakeToo) {
  start_good();
  client_.stream->set_water_marks(1000, 10'000);
  client_.stream->write(pattern(20'000));
  EXPECT_EQ(client_.high, 1);
  until([this] { return server_.heard.size() == 20'000 && client_.low == 1; });
  EXPECT_EQ(client_.high, 1);
}

TEST_F(TlsTest, AStreamMayBeDestroyedInItsCallback) {
  server_.destroy_on_data = true;
  connect_good();
  client_.stream->write("x");
  until([this] { return !server_.stream && client_.closes == 1; });
  EXPECT_EQ(server_.closes, 0);
}

TEST_F(TlsTest, AStreamMayBeDestroyedWhenItIsReady) {
  FileDescriptor near, far;
  make_pair(near, far);
  make_server(std::move(far), good_server());
  client_.stream = TlsContext::client(trusting())
                       ->make_stream(loop_, std::move(near), peer_, client_, "good.test",
                                     [this](std::string_view) { client_.stream.reset(); });
  until([this] { return !client_.stream; });
  EXPECT_EQ(client_.closes, 0);
}

// A client of OpenSSL's own, as no stream of ours asks for new keys.
class KeyAsker {
 public:
  explicit KeyAsker(const FileDescriptor& socket)
      : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    SSL_set_fd(ssl_, socket.get());
    SSL_set_connect_state(ssl_);
  }
  ~KeyAsker() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  KeyAsker(const KeyAsker&) = delete;
  KeyAsker& operator=(const KeyAsker&) = delete;

  bool go_on() { return SSL_do_handshake(ssl_) == 1; }
  bool ask() { return SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1 && go_on(); }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
};

TEST_F(TlsTest, WhoAsksForKeysAndNeverReadsCannotFillTheMemory) {
  FileDescriptor near, far;
  make_pair(near, far);
  make_server(std::move(far), good_server());
  KeyAsker client(near);
  until([&] { return client.go_on(); });
  std::size_t most = 0;
  for (int i = 0; i < 20'000 && server_.closes == 0; ++i) {
    client.ask();
    if (i % 100 != 0) continue;
    loop_.run_once(0ns);
    most = std::max(most, server_.stream->queued());
  }
  EXPECT_EQ(server_.reason, "the peer requests new keys, but does not read");
  EXPECT_LT(most, 100'000U);
}

TEST_F(TlsTest, AnIdleConnectionMakesNoWakeUps) {
  connect_good();
  for (int i = 0; i < 5; ++i) loop_.run_once(1ms);
  const auto events = loop_.counters().events;
  loop_.run_once(20ms);
  EXPECT_EQ(loop_.counters().events, events);
}

}  // namespace
}  // namespace netkit::test
