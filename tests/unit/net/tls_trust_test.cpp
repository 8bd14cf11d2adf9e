// Who is trusted, and what people are told when it is not so.
#include "unit/net/tls_fixture.hpp"

#include <array>
#include <fcntl.h>
#include <thread>

#include <openssl/ssl.h>

#include <netkit/util/error.hpp>

namespace netkit::test {
namespace {

using Request = CertificateRequest;

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  start(server_with({.names = "DNS:good.test", .begins = -7200, .ends = -3600}), trusting());
  expect_refused("certificate has expired");
  until([this] { return server_.closes == 1; });
  EXPECT_EQ(server_.fault, StreamFault::certificate) << server_.reason;
}

TEST_F(TlsTest, ACertificateOfTomorrowIsRefused) {
  start(server_with({.names = "DNS:good.test", .begins = 86'000, .ends = 90'000}), trusting());
  expect_refused("certificate is not yet valid");
}

TEST_F(TlsTest, ASelfSignedCertificateIsRefused) {
  start(server_with({.names = "DNS:good.test", .self_signed = true}), trusting());
  expect_refused("self-signed certificate");
}

TEST_F(TlsTest, ACertificateOfAnotherNameIsRefusedWithItsNames) {
  start(server_with({.names = "DNS:one.test,DNS:*.two.test,IP:127.0.0.2,IP:::1"}), trusting());
  expect_refused(
      "the certificate is for one.test, *.two.test, the address 127.0.0.2, the address ::1, not "
      "for good.test");
}

TEST_F(TlsTest, ACertificateOfAnUnknownAuthorityIsRefused) {
  TlsClientOptions options;
  const TestAuthority other;
  options.ca_file = other.ca_file();
  start(good_server(), options);
  until([this] { return client_.closes == 1; });
  EXPECT_EQ(client_.error, EPROTO);
  EXPECT_EQ(client_.fault, StreamFault::certificate) << client_.reason;
  // The server learns of it by the alert.
  until([this] { return server_.closes == 1; });
  EXPECT_EQ(server_.error, EPROTO);
  EXPECT_EQ(server_.reason.rfind("the peer refused: ", 0), 0U) << server_.reason;
}

TEST_F(TlsTest, AnAddressIsFoundAmongTheAddresses) {
  start(server_with({.names = "IP:127.0.0.1"}), trusting(), "127.0.0.1");
  until([this] { return client_.ready == 1; });
}

TEST_F(TlsTest, AnAddressIsNotFoundAmongTheNames) {
  start(server_with({.names = "DNS:127.0.0.1"}), trusting(), "127.0.0.1");
  expect_refused("the certificate is for 127.0.0.1, not for the address 127.0.0.1");
}

TEST_F(TlsTest, WithoutANameTheAddressOfThePeerIsVerified) {
  start(server_with({.names = "IP:127.0.0.1"}), trusting(), "");
  until([this] { return client_.ready == 1; });
}

TEST_F(TlsTest, AWildcardStandsForOneLabel) {
  start(server_with({.names = "DNS:*.good.test"}), trusting(), "very.good.test");
  until([this] { return client_.ready == 1; });
}

TEST_F(TlsTest, AWildcardDoesNotStandForTwoLabels) {
  start(server_with({.names = "DNS:*.good.test"}), trusting(), "a.very.good.test");
  expect_refused("the certificate is for *.good.test, not for a.very.good.test");
}

TEST_F(TlsTest, InsecureAcceptsEverything) {
  TlsClientOptions options;
  options.insecure = true;
  start(server_with({.names = "DNS:other.test", .ends = -10, .self_signed = true}), options);
  until([this] { return client_.ready == 1; });
}

TEST_F(TlsTest, APlainPeerIsNamedAsOne) {
  FileDescriptor near, far;
  make_pair(near, far);
  make_client(std::move(near), trusting());
  ASSERT_GT(::write(far.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 0);
  expect_refused("the peer does not speak TLS", StreamFault::protocol);
}

TEST_F(TlsTest, AServerNamesAPlainClientAsOne) {
  FileDescriptor near, far;
  make_pair(near, far);
  make_server(std::move(far), good_server());
  ASSERT_GT(::write(near.get(), "GET / HTTP/1.1\r\n\r\n", 18), 0);
  until([this] { return server_.closes == 1; });
  EXPECT_EQ(server_.error, EPROTO);
  EXPECT_EQ(server_.reason, "the peer does not speak TLS");
}

TEST_F(TlsTest, APeerThatLeavesDuringTheHandshakeIsNamed) {
  FileDescriptor near, far;
  make_pair(near, far);
  make_client(std::move(near), trusting());
  std::array<char, 4096> hello{};
  ASSERT_GT(::read(far.get(), hello.data(), hello.size()), 0);
  far.reset();
  expect_refused("the peer closed the connection during the TLS handshake", StreamFault::protocol);
}

TEST_F(TlsTest, AServerThatAsksForACertificateAcceptsAGoodOne) {
  TlsServerOptions server = good_server();
  server.client_ca_file = authority().ca_file();
  TlsClientOptions client = trusting();
  const Identity identity = authority().issue({.names = "DNS:client.test"});
  client.cert_file = identity.cert_file;
  client.key_file = identity.key_file;
  start(server, client);
  client_.stream->write("let me in");
  until([this] { return server_.heard == "let me in"; });
}

TEST_F(TlsTest, AServerThatAsksForACertificateRefusesNone) {
  TlsServerOptions server = good_server();
  server.client_ca_file = authority().ca_file();
  start(server, trusting());
  until([this] { return server_.closes == 1 && client_.closes == 1; });
  EXPECT_EQ(server_.reason, "the client sent no certificate");
  EXPECT_EQ(client_.error, EPROTO);
  EXPECT_EQ(client_.reason, "the peer refused: certificate required");
}

// An independent peer: OpenSSL with a blocking socket, on a thread of its own.
TEST_F(TlsTest, TheProtocolIsAgreedOnByAlpn) {
  const TlsServerOptions files = good_server();
  FileDescriptor near, far;
  make_pair(near, far);
  ASSERT_EQ(::fcntl(far.get(), F_SETFL, 0), 0);
  const std::jthread peer([&files, fd = far.get()] {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(context, files.cert_file.c_str());
    SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_alpn_select_cb(
        context,
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
           unsigned in_size, void*) {
          static const unsigned char known[] = "\x06second";
          return SSL_select_next_proto(const_cast<unsigned char**>(out), size, known, 7, in,
                                       in_size) == OPENSSL_NPN_NEGOTIATED
                     ? SSL_TLSEXT_ERR_OK
                     : SSL_TLSEXT_ERR_NOACK;
        },
        nullptr);
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) SSL_write(ssl, "hello", 5);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
  });
  TlsClientOptions options = trusting();
  options.alpn = {"first", "second"};
  make_client(std::move(near), options);
  until([this] { return client_.closes == 1; });
  EXPECT_EQ(client_.alpn, "second") << client_.reason;
  EXPECT_EQ(client_.heard, "hello");
  EXPECT_EQ(client_.ends, 1);
}

class TlsFiles : public TlsTest {
 protected:
  static std::string refusal(const TlsServerOptions& options) {
    return sentence([&] { TlsContext::server(options); });
  }
  static std::string refusal(const TlsClientOptions& options) {
    return sentence([&] { TlsContext::client(options); });
  }
  template <typename Call>
  static std::string sentence(Call call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::config);
      return error.what();
    }
    return "accepted";
  }
  TlsServerOptions options_ = good_server();
};

TEST_F(TlsFiles, AMissingFileIsNamed) {
  options_.cert_file = "/nowhere/cert.pem";
  EXPECT_EQ(refusal(options_),
            "cannot read the certificate file '/nowhere/cert.pem': no such file or directory");
}

TEST_F(TlsFiles, AMissingAuthorityIsNamed) {
  TlsClientOptions options;
  options.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(refusal(options),
            "cannot read the CA file '/nowhere/ca.pem': no such file or directory");
}

TEST_F(TlsFiles, AFolderIsNoFile) {
  options_.key_file = "/tmp";
  EXPECT_EQ(refusal(options_), "cannot read the key file '/tmp': is a directory");
}

TEST_F(TlsFiles, AnEmptyFileIsNamed) {
  options_.key_file = authority().write_file("empty.pem", "");
  EXPECT_EQ(refusal(options_), "the key file '" + options_.key_file + "' is empty");
}

TEST_F(TlsFiles, SomethingElseIsNamed) {
  const std::string other = authority().write_file("other.pem", "not a certificate\n");
  TlsServerOptions no_key = options_;
  no_key.key_file = other;
  EXPECT_EQ(refusal(no_key), "the key file '" + other + "' holds no private key in PEM format");
  TlsServerOptions no_certificate = options_;
  no_certificate.cert_file = other;
  EXPECT_EQ(refusal(no_certificate),
            "the certificate file '" + other + "' holds no certificate in PEM format");
  TlsClientOptions no_authority;
  no_authority.ca_file = other;
  EXPECT_EQ(refusal(no_authority),
            "the CA file '" + other + "' holds no certificate in PEM format");
}

TEST_F(TlsFiles, AKeyOfAnotherCertificateIsNamed) {
  options_.key_file = good_server().key_file;
  EXPECT_EQ(refusal(options_), "the key file '" + options_.key_file +
                                   "' does not belong to the certificate file '" +
                                   options_.cert_file + "'");
}

TEST_F(TlsFiles, AnEncryptedKeyIsNotAskedAbout) {
  options_.key_file = authority().encrypt_key({options_.cert_file, options_.key_file});
  EXPECT_EQ(refusal(options_),
            "the key file '" + options_.key_file + "' is encrypted; use one without a passphrase");
}

TEST_F(TlsFiles, TheKeyMayBeInTheCertificatesFile) {
  options_.cert_file =
      authority().join({.cert_file = options_.cert_file, .key_file = options_.key_file});
  options_.key_file.clear();
  EXPECT_EQ(refusal(options_), "accepted");
}

TEST_F(TlsFiles, ACertificateWithoutAKeyIsRefused) {
  options_.key_file.clear();
  EXPECT_EQ(refusal(options_),
            "the key file '" + options_.cert_file + "' holds no private key in PEM format");
}

TEST_F(TlsFiles, AServerNeedsACertificate) {
  EXPECT_EQ(refusal(TlsServerOptions{}), "a TLS server needs a certificate");
}

TEST_F(TlsFiles, AKeyAloneIsRefused) {
  TlsClientOptions options = trusting();
  options.key_file = options_.key_file;
  EXPECT_EQ(refusal(options), "the key file '" + options_.key_file + "' needs its certificate");
}

TEST_F(TlsFiles, ANameThatCannotBeVerifiedIsRefused) {
  FileDescriptor near, far;
  make_pair(near, far);
  const std::string two_in_one("good.test\0evil.test", 19);
  EXPECT_THROW(make_client(std::move(near), trusting(), two_in_one), Error);
}

TEST_F(TlsFiles, AnAlpnNameHasALength) {
  TlsClientOptions options = trusting();
  options.alpn = {std::string(256, 'x')};
  EXPECT_EQ(refusal(options), "an ALPN protocol has 1 to 255 bytes, not 256");
}

}  // namespace
}  // namespace netkit::test
