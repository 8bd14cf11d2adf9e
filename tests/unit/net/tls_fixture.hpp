// Two ends of a TLS connection on one loop, and verbs for what the tests do with them.
#pragma once

#include "support/test_certificates.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <netkit/loop/event_loop.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/file.hpp>

namespace netkit::test {

using namespace std::chrono_literals;

// Remembers what happens to one end.
struct TlsEnd : ByteStream::Handler {
  void on_data(ByteStream& from, std::string_view data) override {
    heard.append(data);
    if (pause_after != 0 && heard.size() >= pause_after) from.pause_reading();
    if (echo) from.write(data);
    if (destroy_on_data) stream.reset();
  }
  void on_end(ByteStream& from) override {
    ++ends;
    if (close_on_end) from.close();
  }
  void on_closed(ByteStream& from, int error_number, std::string_view why) override {
    ++closes;
    error = error_number;
    reason = why;
    fault = from.fault();
  }
  void on_high_water(ByteStream& /*from*/) override { ++high; }
  void on_low_water(ByteStream& /*from*/) override { ++low; }

  std::unique_ptr<ByteStream> stream;
  std::string heard, reason, alpn;
  std::size_t pause_after = 0;
  bool echo = false, close_on_end = true, destroy_on_data = false;
  StreamFault fault = StreamFault::none;
  int ready = 0, ends = 0, closes = 0, error = -1, high = 0, low = 0;
};

class TlsTest : public testing::Test {
 protected:
  static TestAuthority& authority() {
    static TestAuthority instance;
    return instance;
  }
  static TlsServerOptions server_with(const CertificateRequest& request) {
    const Identity identity = authority().issue(request);
    return {.cert_file = identity.cert_file, .key_file = identity.key_file, .client_ca_file = {}};
  }
  static TlsServerOptions good_server() { return server_with({.names = "DNS:good.test"}); }
  static TlsClientOptions trusting() {
    TlsClientOptions options;
    options.ca_file = authority().ca_file();
    return options;
  }

  static void make_pair(FileDescriptor& near, FileDescriptor& far) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    near.reset(fds[0]);
    far.reset(fds[1]);
  }
  void make_client(FileDescriptor socket, const TlsClientOptions& options,
                   const std::string& name = "good.test") {
    client_.stream = TlsContext::client(options)->make_stream(
        loop_, std::move(socket), peer_, client_, name, [this](std::string_view alpn) {
          ++client_.ready;
          client_.alpn = alpn;
        });
  }
  void make_server(FileDescriptor socket, const TlsServerOptions& options) {
    server_.stream =
        TlsContext::server(options)->make_stream(loop_, std::move(socket), peer_, server_, "",
                                                 [this](std::string_view) { ++server_.ready; });
  }
  void start(const TlsServerOptions& server, const TlsClientOptions& client,
             const std::string& name = "good.test") {
    FileDescriptor near, far;
    make_pair(near, far);
    make_server(std::move(far), server);
    make_client(std::move(near), client, name);
  }
  void start_good() { start(good_server(), trusting()); }
  void connect_good() {
    start_good();
    until([this] { return client_.ready == 1 && server_.ready == 1; });
  }

  template <typename Condition>
  void until(Condition condition) {
    const auto deadline = clock_.now() + 20s;
    while (!condition() && clock_.now() < deadline) loop_.run_once(20ms);
    ASSERT_TRUE(condition());
  }
  void expect_refused(const std::string& reason, StreamFault fault = StreamFault::certificate) {
    until([this] { return client_.closes == 1; });
    EXPECT_EQ(client_.error, EPROTO);
    EXPECT_EQ(client_.fault, fault);
    EXPECT_EQ(client_.reason, reason);
    EXPECT_EQ(client_.ready, 0);
    EXPECT_EQ(client_.heard, "");
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Endpoint peer_ = *Endpoint::parse("127.0.0.1:443");
  TlsEnd client_, server_;
};

}  // namespace netkit::test
