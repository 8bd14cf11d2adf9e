#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/http/http_server.hpp>
#include <netkit/plugin/fake_host.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  struct Stream : HttpStream {
    explicit Stream(HttpServerTest& owner) : test(owner) {}
    void on_open() override {
      test.stream_ = this;
      if (test.ends_at_once_) end();
    }
    void on_backed_up() override { ++test.backed_up_; }
    void on_drained() override { ++test.drained_; }
    void on_gone() override { test.stream_ = nullptr; }
    HttpServerTest& test;
  };

  HttpServer& start(HttpServer::Options options = {}) {
    HttpRoutes routes;
    routes.add("/page", [this](const HttpRequest&) {
      ++asked_;
      return HttpAnswer{.type = "text/html", .body = page_};
    });
    routes.add("/stream", [this](const HttpRequest&) {
      HttpAnswer answer{.type = "text/plain"};
      answer.stream = std::make_unique<Stream>(*this);
      return answer;
    });
    routes.add("POST", "/later", [this](const HttpRequest&) {
      later_ = std::make_shared<HttpLater>();
      return HttpAnswer{.later = later_};
    });
    options.has_date = false;
    if (options.tcp.max_clients > 16) options.tcp.max_clients = 16;
    log_.redirect([this](std::string_view line) { log_lines_ += line; });
    server_.emplace(host_.loop(), log_, std::move(options), std::move(routes));
    server_->tcp().listen(AddressSpec::parse("127.0.0.1:0", AddressRole::server));
    return *server_;
  }

  FileDescriptor connect() {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Endpoint local = server_->tcp().locals().at(0);
    EXPECT_EQ(::connect(fd.get(), local.data(), local.size()), 0);
    return fd;
  }
  static void send(const FileDescriptor& fd, std::string_view text) {
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Reads until `done()`, or to the end.
  std::string read_until(const FileDescriptor& fd, const std::function<bool()>& done = {}) {
    std::string buffer(1 << 16, ' ');
    const std::size_t before = read_.size();
    EXPECT_TRUE(host_.run_until([&] {
      ssize_t count = 0;
      while ((count = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
        read_.append(buffer, 0, static_cast<std::size_t>(count));
      }
      return count == 0 || (done && done());
    }));
    return read_.substr(before);
  }
  std::string read_through(const FileDescriptor& fd, std::string_view end) {
    read_.clear();
    return read_until(fd, [this, end] { return read_.ends_with(end); });
  }
  std::string ask(std::string_view request) {
    const FileDescriptor fd = connect();
    send(fd, request);
    return read_until(fd);
  }

  test::FakeHost host_;
  Log log_{"", LogLevel::info};
  std::optional<HttpServer> server_;
  std::string page_ = "<p>";
  std::string read_, log_lines_;
  Stream* stream_ = nullptr;
  std::shared_ptr<HttpLater> later_;
  bool ends_at_once_ = false;  // a stream
  int asked_ = 0, backed_up_ = 0, drained_ = 0;
};

TEST_F(HttpServerTest, AnswersRequestAfterRequest) {
  start();
  const FileDescriptor fd = connect();
  for (int i = 1; i <= 3; ++i) {
    send(fd, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(read_through(fd, "<p>"),
              "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>");
    EXPECT_EQ(server_->counters().requests, static_cast<std::uint64_t>(i));
  }
}

TEST_F(HttpServerTest, ClosesWhereTheClientOrTheServerWantsIt) {
  start();
  EXPECT_THAT(ask("GET /page HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  start({.keeps_alive = false});
  EXPECT_THAT(ask("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  start();
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(server_->counters().bad_requests, 1u);
}

TEST_F(HttpServerTest, StreamsInChunks) {
  start();
  const FileDescriptor fd = connect();
  send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(read_through(fd, "\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  stream_->write(HttpChunk("one"));
  EXPECT_EQ(read_through(fd, "one\r\n"), "3\r\none\r\n");
  stream_->write("a second one");
  stream_->end();
  EXPECT_EQ(read_through(fd, "0\r\n\r\n"), "c\r\na second one\r\n0\r\n\r\n");
  EXPECT_TRUE(host_.run_until([this] { return stream_ == nullptr; }));
  EXPECT_EQ(server_->streams(), 0u);
}

TEST_F(HttpServerTest, AStreamThatHasEndedIsFollowedByAnotherAnswer) {
  start({.request_timeout = 50ms});
  const FileDescriptor fd = connect();
  for (int i = 0; i < 2; ++i) {
    send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(read_through(fd, "\r\n\r\n"), Not(HasSubstr("Connection: close")));
    stream_->end();
    EXPECT_EQ(read_through(fd, "0\r\n\r\n"), "0\r\n\r\n");
  }
  send(fd, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(read_through(fd, "<p>"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(read_until(fd), "");  // by the deadline of the next request
}

TEST_F(HttpServerTest, AStreamThatIsCutIsNotWhole) {
  start();
  const FileDescriptor fd = connect();
  send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  read_through(fd, "\r\n\r\n");
  stream_->write("one");
  stream_->cut();
  EXPECT_EQ(read_until(fd), "3\r\none\r\n");
}

TEST_F(HttpServerTest, AStreamIsTheLastAnswerWhereMoreThanItsRequestCame) {
  start();
  const FileDescriptor fd = connect();
  send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  read_through(fd, "\r\n\r\n");
  send(fd, "more");
  for (int i = 0; i < 5; ++i) host_.loop().run_once(1ms);
  stream_->end();
  EXPECT_EQ(read_until(fd), "0\r\n\r\n");
}

TEST_F(HttpServerTest, AStreamThatEndsAtOnceIsTheLastAnswerWhereMoreThanItsRequestCame) {
  start();
  ends_at_once_ = true;
  const std::string request = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_THAT(ask(request + request), EndsWith("\r\n\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, StreamsWithoutChunksToOldClients) {
  start();
  const FileDescriptor fd = connect();
  send(fd, "GET /stream HTTP/1.0\r\n\r\n");
  read_through(fd, "\r\n\r\n");
  stream_->write(HttpChunk("one"));
  stream_->write(", two");
  stream_->end();
  EXPECT_EQ(read_until(fd), "one, two");
}

TEST_F(HttpServerTest, TellsAStreamThatItsReaderHasGone) {
  start();
  FileDescriptor fd = connect();
  send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  read_through(fd, "\r\n\r\n");
  fd.reset();
  EXPECT_TRUE(host_.run_until([this] { return stream_ == nullptr; }));
}

TEST_F(HttpServerTest, GivesTheHeadOfAStreamWithoutIt) {
  start();
  EXPECT_THAT(ask("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("close\r\n\r\n"));
  EXPECT_EQ(server_->counters().streams, 0u);
}

TEST_F(HttpServerTest, TellsAStreamThatItsReaderIsSlow) {
  HttpServer::Options options;
  options.tcp.low_water = 1000;
  options.tcp.high_water = 100'000;
  start(std::move(options));
  const FileDescriptor fd = connect();
  send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  read_through(fd, "\r\n\r\n");
  for (int i = 0; i < 1000 && backed_up_ == 0; ++i) stream_->write(std::string(65536, 'x'));
  ASSERT_EQ(backed_up_, 1);
  EXPECT_TRUE(stream_->backed_up());
  read_until(fd, [this] { return drained_ == 1; });
}

// What it has asked for meanwhile is answered as it reads on, and nothing of it before.
TEST_F(HttpServerTest, AnswersNobodyWhoDoesNotRead) {
  HttpServer::Options options;
  options.tcp.low_water = 1000;
  options.tcp.high_water = 100'000;
  start(std::move(options));
  page_ = std::string(128 << 10, 'p');
  const FileDescriptor fd = connect();
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += "GET /page HTTP/1.1\r\nHost: x\r\n\r\n";
  send(fd, requests);
  ASSERT_TRUE(host_.run_until([this] { return asked_ > 0; }));
  for (int i = 0; i < 20; ++i) host_.loop().run_once(1ms);
  EXPECT_LT(asked_, 200);
  ::shutdown(fd.get(), SHUT_WR);
  read_until(fd);
  EXPECT_EQ(asked_, 300);
}

TEST_F(HttpServerTest, KeepsFewAnswersForWhoDoesNotReadThem) {
  page_.assign(50'000, 'x');
  start();
  const FileDescriptor fd = connect();
  for (int i = 0; i < 400; ++i) send(fd, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int quiet = 0, before = -1; quiet < 5; before = asked_) {
    host_.loop().run_once(1ms);
    quiet = asked_ == before ? quiet + 1 : 0;
  }
  EXPECT_GT(asked_, 10);
  EXPECT_LT(asked_, 400);
  server_->tcp().for_each([](TcpServer::Connection& one) {
    EXPECT_TRUE(one.backed_up());
    EXPECT_LT(one.stream().queued(), 200'000u);
  });
}

// Nor is more than a little kept of what it asks for while an answer is waited for.
TEST_F(HttpServerTest, ReadsLittleWhileAnAnswerIsWaitedFor) {
  start({.limits = {.max_body = 10}});
  const FileDescriptor fd = connect();
  send(fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(host_.run_until([this] { return later_ != nullptr; }));
  const std::string request =
      "GET /page HTTP/1.1\r\nHost: x\r\nX: " + std::string(8000, 'x') + "\r\n\r\n";
  std::size_t sent = 0;
  for (int quiet = 0; quiet < 20 && sent < 64'000'000; ++quiet) {
    const std::string_view rest = std::string_view(request).substr(sent % request.size());
    const ssize_t count = ::send(fd.get(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      quiet = 0;
    }
    host_.loop().run_once(count > 0 ? 0ms : 1ms);
  }
  EXPECT_LT(sent, 32'000'000u);
  later_->give(HttpAnswer::text(200, "done"));
  ::shutdown(fd.get(), SHUT_WR);
  EXPECT_THAT(read_until(fd), HasSubstr("\r\n\r\ndone\n"));
  EXPECT_EQ(asked_, static_cast<int>(sent / request.size()));
}

TEST_F(HttpServerTest, ClosesOnceTheAnswerThatIsWaitedForIsGiven) {
  start();
  const FileDescriptor fd = connect();
  send(fd, "POST /later HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(host_.run_until([this] { return later_ != nullptr; }));
  server_->close();
  for (int i = 0; i < 3; ++i) host_.loop().run_once(1ms);
  later_->give(HttpAnswer::text(200, "done"));
  const std::string answer = read_until(fd);
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ndone\n"));
}

TEST_F(HttpServerTest, TellsAClientThatWaitsWithItsBodyToGoOn) {
  start({.limits = {.max_body = 100}});
  const FileDescriptor fd = connect();
  send(fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(read_through(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  send(fd, "bo");
  send(fd, "dy");
  ASSERT_TRUE(host_.run_until([this] { return later_ != nullptr; }));
  later_->give(HttpAnswer::text(200, "done"));
  EXPECT_THAT(read_through(fd, "done\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, TellsNobodyToGoOnWhoHasOrIsRefused) {
  start({.limits = {.max_body = 100}});
  const FileDescriptor fd = connect();
  send(fd,
       "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody");
  EXPECT_THAT(read_through(fd, "supported here\n"), StartsWith("HTTP/1.1 405 "));
  send(fd, "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(read_until(fd), HasSubstr("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, ARequestHasADeadline) {
  start({.request_timeout = 50ms});
  EXPECT_EQ(ask("GET /page HTT"), "");
  EXPECT_EQ(server_->counters().request_timeouts, 1u);
  EXPECT_THAT(log_lines_, HasSubstr(": its request took longer than 50ms (--request-timeout)\n"));
  EXPECT_THAT(ask("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("<p>"));
  EXPECT_EQ(server_->counters().request_timeouts, 1u);
}

TEST_F(HttpServerTest, SaysThatThereIsNoRoom) {
  HttpServer::Options options;
  options.tcp.max_clients = 1;
  options.tcp.told_when_full = 8;
  start(std::move(options));
  const FileDescriptor first = connect();
  const std::string refused = ask("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(refused, EndsWith("full: 1 client (--max-clients)\n"));
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpServerTest, EndsItsStreamsWhenItCloses) {
  start();
  const FileDescriptor idle = connect(), fd = connect();
  send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  read_through(fd, "\r\n\r\n");
  server_->close_all_but_streams();
  EXPECT_EQ(read_until(idle), "");
  EXPECT_EQ(server_->tcp().size(), 1u);
  stream_->write("last");
  server_->close();
  EXPECT_EQ(read_until(fd), "4\r\nlast\r\n0\r\n\r\n");
}

TEST_F(HttpServerTest, GivesNoMoreTimeToARequestOfOneByteNowAndThen) {
  start({.limits = {.max_body = 1'000'000}, .request_timeout = 100ms});
  for (const char* begin : {"GET /page HTTP/1.1\r\nX: ",
                            "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"}) {
    const FileDescriptor fd = connect();
    send(fd, begin);
    int sent = 0;
    EXPECT_TRUE(host_.run_until([&] {
      char byte = 0;
      // So few that the head does not become too long.
      if (++sent < 1000) ::send(fd.get(), "y", 1, MSG_NOSIGNAL);
      return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN;
    }));
  }
  EXPECT_EQ(server_->counters().request_timeouts, 2u);
}

}  // namespace
}  // namespace netkit
