#include <cerrno>
#include <chrono>
#include <sse/curl_loop.hpp>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace netkit::sse {
namespace {

Failure judge(CURLcode code, std::string_view detail = "", int os_error = 0, bool first = true) {
  return failure_of({.code = code,
                     .detail = detail,
                     .os_error = os_error,
                     .is_first = first,
                     .connect_timeout = std::chrono::seconds(10)});
}

Failure after_connect(long answer) {
  return failure_of({.code = CURLE_RECV_ERROR, .connect_answer = answer});
}

TEST(CurlFailure, ANameIsFinalAtFirstOnly) {
  EXPECT_TRUE(judge(CURLE_COULDNT_RESOLVE_HOST).permanent);
  EXPECT_FALSE(judge(CURLE_COULDNT_RESOLVE_HOST, "", 0, false).permanent);
  EXPECT_EQ(judge(CURLE_COULDNT_RESOLVE_HOST).status, ExitStatus::name);
}

TEST(CurlFailure, SaysWhoseNameItWas) {
  EXPECT_EQ(judge(CURLE_COULDNT_RESOLVE_HOST, "Could not resolve host: a.b").message,
            "cannot resolve the name of the server: a.b");
  EXPECT_EQ(judge(CURLE_COULDNT_RESOLVE_PROXY, "Could not resolve proxy: a.b").message,
            "cannot resolve the name of the proxy: a.b");
}

TEST(CurlFailure, NamesWhyItCannotConnect) {
  const Failure failure = judge(CURLE_COULDNT_CONNECT, "", ECONNREFUSED);
  EXPECT_EQ(failure.status, ExitStatus::unreachable);
  EXPECT_NE(failure.message.find("refused"), std::string::npos);
  EXPECT_FALSE(failure.permanent);
}

TEST(CurlFailure, NamesTheOptionOfATimeout) {
  EXPECT_EQ(judge(CURLE_OPERATION_TIMEDOUT).message,
            "no connection within 10s (--connect-timeout)");
}

TEST(CurlFailure, AHandshakeThatTheNetworkBreaksIsTriedAgain) {
  EXPECT_FALSE(judge(CURLE_SSL_CONNECT_ERROR, "", ECONNRESET).permanent);
  EXPECT_TRUE(judge(CURLE_SSL_CONNECT_ERROR, "wrong version number").permanent);
}

TEST(CurlFailure, ARefusedClientCertificateIsFinalWhereverItComes) {
  for (const CURLcode code : {CURLE_RECV_ERROR, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM}) {
    const Failure failure = failure_of({.code = code, .tls_alert = SSL_AD_CERTIFICATE_REQUIRED});
    EXPECT_EQ(failure.status, ExitStatus::permission);
    EXPECT_TRUE(failure.permanent);
  }
  EXPECT_FALSE(failure_of({.code = CURLE_RECV_ERROR, .os_error = ECONNRESET}).permanent);
}

TEST(CurlFailure, WhatAPeerWritesIsNoAlert) {
  const Failure failure = judge(CURLE_RECV_ERROR, "tlsv13 alert certificate required, errno 0");
  EXPECT_EQ(failure.status, ExitStatus::unreachable);
  EXPECT_FALSE(failure.permanent);
}

TEST(CurlFailure, OtherAlertsAreNotAboutTheCertificate) {
  const Failure failure =
      failure_of({.code = CURLE_SSL_CONNECT_ERROR, .tls_alert = SSL_AD_HANDSHAKE_FAILURE});
  EXPECT_EQ(failure.status, ExitStatus::protocol);
}

TEST(CurlFailure, ABadServerCertificateIsFinal) {
  const Failure failure = judge(CURLE_PEER_FAILED_VERIFICATION, "self-signed certificate");
  EXPECT_EQ(failure.status, ExitStatus::permission);
  EXPECT_TRUE(failure.permanent);
}

TEST(CurlFailure, AProxyIsAskedAgainForWhatAServerIs) {
  EXPECT_TRUE(after_connect(407).permanent);
  EXPECT_EQ(after_connect(407).status, ExitStatus::permission);
  EXPECT_EQ(after_connect(404).status, ExitStatus::protocol);
  EXPECT_EQ(after_connect(404).message, "the proxy answered 404 to CONNECT");
  for (const long status : {429L, 500L, 502L, 503L}) {
    EXPECT_FALSE(after_connect(status).permanent);
    EXPECT_EQ(after_connect(status).status, ExitStatus::unreachable);
  }
}

TEST(CurlFailure, AProxyOfNoUseIsConfigurationAndShowsNoPassword) {
  for (const CURLcode code : {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY}) {
    const Failure failure = failure_of({.code = code,
                                        .detail = "Unsupported proxy scheme for 'ftp://a:b@c'",
                                        .has_looked = false});
    EXPECT_EQ(failure.status, ExitStatus::config);
    EXPECT_TRUE(failure.permanent);
    EXPECT_EQ(failure.message, "Unsupported proxy scheme for 'ftp://a@c'");
  }
}

TEST(CurlFailure, EscapesWhatAPeerSays) {
  EXPECT_EQ(judge(CURLE_RECV_ERROR, "\x1b[2J").message, "the connection is lost: \\x1b[2J");
}

}  // namespace
}  // namespace netkit::sse
