#include "plugin/totals_report.hpp"

#include <string>
#include <sys/socket.h>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

class MetricsServerTest : public testing::Test {
 protected:
  FileDescriptor connect() {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Endpoint server = server_.locals().at(0);
    EXPECT_EQ(::connect(fd.get(), server.data(), server.size()), 0);
    return fd;
  }
  // Sends, and reads to the end while the loop runs.
  std::string ask(std::string_view request) {
    const FileDescriptor fd = connect();
    EXPECT_GT(::send(fd.get(), request.data(), request.size(), 0), 0);
    std::string answer;
    bool ended = false;
    const bool in_time = host_.run_until([&] {
      char buffer[4096];
      const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) answer.append(buffer, static_cast<std::size_t>(count));
      ended = count == 0;
      return ended;
    });
    EXPECT_TRUE(in_time);
    return answer;
  }

  test::FakeHost host_;
  int asked_ = 0;
  MetricsServer server_{host_.loop(), "0",
                        [this] { return "x " + std::to_string(++asked_) + "\n"; }};
};

TEST_F(MetricsServerTest, ListensOnLoopback) {
  EXPECT_TRUE(server_.locals().at(0).address().is_loopback());
}

TEST_F(MetricsServerTest, AnswersWithWhatIsTrueNow) {
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(ask(request),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 4\r\nConnection: close\r\n\r\nx 1\n");
  EXPECT_TRUE(ask(request).ends_with("x 2\n"));
}

TEST_F(MetricsServerTest, TellsNothingToAForeignName) {
  EXPECT_TRUE(
      ask("GET /metrics HTTP/1.1\r\nHost: attacker.example\r\n\r\n").starts_with("HTTP/1.1 421 "));
  EXPECT_TRUE(ask("GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(asked_, 0);
}

TEST_F(MetricsServerTest, RefusesEverythingElse) {
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(ask("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask(std::string(9000, 'x')).starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(asked_, 0);
}

TEST_F(MetricsServerTest, BoundsItsConnections) {
  std::vector<FileDescriptor> clients;
  clients.reserve(16);
  for (int i = 0; i < 16; ++i) clients.push_back(connect());
  EXPECT_EQ(ask("GET /metrics HTTP/1.1\r\n"), "");
}

}  // namespace
}  // namespace netkit
