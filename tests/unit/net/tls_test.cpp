#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_listener.hpp>
#include <netkit/net/tls.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

struct Recorder : ByteStream::Handler {
  void on_data(ByteStream& stream, std::string_view data) override {
    heard.append(data);
    if (echo) stream.write(data);
  }
  void on_end(ByteStream& stream) override {
    ended = true;
    stream.close();
  }
  void on_closed(ByteStream& /*stream*/, int error_number, std::string_view why) override {
    closed = true;
    error = error_number;
    reason = why;
  }
  std::string heard, reason;
  bool echo = false, ended = false, closed = false;
  int error = -1;
};

// Certificates made by openssl(1), and a server and a client that use them.
class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "netkit-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  // A self-signed certificate for `name`, which is its own authority.
  void make_certificate(const std::string& base, const std::string& name,
                        const std::string& more = "-days 2") {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test " +
        more + " -addext subjectAltName=" + name + " -keyout " + file(base + ".key") + " -out " +
        file(base + ".pem") + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  void connect(const std::string& certificate, const TlsClientOptions& options,
               const std::string& server_name) {
    TlsServerOptions server_options;
    server_options.cert_file = file(certificate + ".pem");
    server_options.key_file = file(certificate + ".key");
    server_context_ = TlsContext::server(server_options);
    client_context_ = TlsContext::client(options);
    listener_ = std::make_unique<TcpListener>(
        loop_, listen_tcp(*Endpoint::parse("127.0.0.1:0")),
        [this](FileDescriptor fd, const Endpoint& peer) {
          server_ = server_context_->make_stream(loop_, std::move(fd), peer, server_side_, {}, {});
        });
    connector_.connect(AddressSpec{"127.0.0.1", listener_->local().port()}, 5s,
                       [this, server_name](ConnectResult result) {
                         client_ = client_context_->make_stream(
                             loop_, std::move(result.socket), result.peer, client_side_,
                             server_name, [this](std::string_view) { ready_ = true; });
                       });
    until([this] { return ready_ || client_side_.closed; });
  }

  template <typename Condition>
  void until(Condition condition) {
    const auto deadline = clock_.now() + 20s;
    while (!condition() && clock_.now() < deadline) loop_.run_once(50ms);
    ASSERT_TRUE(condition());
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  TcpConnector connector_{loop_};
  std::filesystem::path folder_;
  std::shared_ptr<TlsContext> server_context_, client_context_;
  Recorder server_side_, client_side_;
  std::unique_ptr<TcpListener> listener_;
  std::unique_ptr<ByteStream> server_, client_;
  bool ready_ = false;
};

TEST_F(TlsTest, ATrustedCertificateCarriesMegabytesBothWays) {
  make_certificate("good", "DNS:example.test");
  connect("good", {.ca_file = file("good.pem")}, "example.test");
  ASSERT_TRUE(ready_) << client_side_.reason;
  server_side_.echo = true;
  std::string sent;
  for (std::size_t i = 0; i < 2'000'000; ++i) sent.push_back(static_cast<char>(i * 7 + i / 251));
  client_->write(sent);
  until([&] { return client_side_.heard.size() == sent.size(); });
  EXPECT_EQ(client_side_.heard, sent);
}

TEST_F(TlsTest, WritesBeforeTheHandshakeArriveAndCloseEndsTheSession) {
  make_certificate("good", "IP:127.0.0.1");
  connect("good", {.ca_file = file("good.pem")}, "127.0.0.1");
  client_->write("bye");
  client_->close();
  until([this] { return server_side_.ended; });
  EXPECT_EQ(server_side_.heard, "bye");
}

TEST_F(TlsTest, AnUnknownAuthorityIsRefused) {
  make_certificate("good", "DNS:example.test");
  make_certificate("other", "DNS:example.test");
  connect("good", {.ca_file = file("other.pem")}, "example.test");
  until([this] { return client_side_.closed; });
  EXPECT_EQ(client_side_.error, EPROTO);
  EXPECT_NE(client_side_.reason.find("self-signed certificate"), std::string::npos)
      << client_side_.reason;
}

TEST_F(TlsTest, AnotherHostsCertificateIsRefused) {
  make_certificate("good", "DNS:example.test");
  connect("good", {.ca_file = file("good.pem")}, "elsewhere.test");
  until([this] { return client_side_.closed; });
  EXPECT_EQ(client_side_.reason, "the certificate is for example.test, not for elsewhere.test");
}

TEST_F(TlsTest, InsecureTakesAnything) {
  make_certificate("good", "DNS:example.test");
  connect("good", {.insecure = true}, "elsewhere.test");
  EXPECT_TRUE(ready_);
}

TEST_F(TlsTest, AConnectionCutShortIsNotAnEnd) {
  make_certificate("good", "DNS:example.test");
  connect("good", {.ca_file = file("good.pem")}, "example.test");
  client_->write("x");
  until([this] { return !server_side_.heard.empty(); });
  server_->abort();
  until([this] { return client_side_.closed; });
  EXPECT_FALSE(client_side_.ended);
  EXPECT_EQ(client_side_.error, ECONNRESET);
}

TEST_F(TlsTest, AMissingFileIsNamed) {
  try {
    TlsContext::client({.ca_file = file("none.pem")});
    FAIL() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::config);
    EXPECT_NE(std::string(error.what()).find("none.pem"), std::string::npos);
  }
}

TEST_F(TlsTest, AKeyThatDoesNotFitIsNamed) {
  make_certificate("good", "DNS:example.test");
  make_certificate("other", "DNS:example.test");
  EXPECT_THROW(TlsContext::server({.cert_file = file("good.pem"), .key_file = file("other.key")}),
               Error);
}

}  // namespace
}  // namespace netkit
