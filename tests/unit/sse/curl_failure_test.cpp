#include <cerrno>
#include <chrono>
#include <sse/curl_failure.hpp>
#include <string_view>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

Failure judge(CURLcode code, std::string_view detail = "", int os_error = 0, bool first = true) {
  return failure_of(code, detail, os_error, first, std::chrono::seconds(10));
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
            "connecting took longer than 10s (--connect-timeout)");
}

TEST(CurlFailure, AHandshakeThatTheNetworkBreaksIsTriedAgain) {
  EXPECT_FALSE(judge(CURLE_SSL_CONNECT_ERROR, "", ECONNRESET).permanent);
  EXPECT_TRUE(judge(CURLE_SSL_CONNECT_ERROR, "wrong version number").permanent);
}

TEST(CurlFailure, ARefusedClientCertificateIsFinalWhereverItComes) {
  for (const CURLcode code : {CURLE_RECV_ERROR, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM}) {
    const Failure failure = judge(code, "tlsv13 alert certificate required, errno 0");
    EXPECT_EQ(failure.status, ExitStatus::permission);
    EXPECT_TRUE(failure.permanent);
  }
  EXPECT_FALSE(judge(CURLE_RECV_ERROR, "Connection reset by peer", ECONNRESET).permanent);
}

TEST(CurlFailure, ABadServerCertificateIsFinal) {
  const Failure failure = judge(CURLE_PEER_FAILED_VERIFICATION, "self-signed certificate");
  EXPECT_EQ(failure.status, ExitStatus::permission);
  EXPECT_TRUE(failure.permanent);
}

TEST(CurlFailure, AProxyIsAskedAgainForWhatAServerIs) {
  EXPECT_TRUE(failure_of_proxy(407).permanent);
  EXPECT_EQ(failure_of_proxy(407).status, ExitStatus::protocol);
  EXPECT_EQ(failure_of_proxy(407).message, "the proxy answered 407 to CONNECT");
  for (const long status : {429L, 500L, 502L, 503L}) {
    EXPECT_FALSE(failure_of_proxy(status).permanent);
    EXPECT_EQ(failure_of_proxy(status).status, ExitStatus::unreachable);
  }
}

TEST(CurlFailure, ShowsNoPassword) {
  EXPECT_EQ(judge(CURLE_COULDNT_CONNECT, "Unsupported proxy scheme for 'ftp://a:b@c'").message,
            "Unsupported proxy scheme for 'ftp://a@c'");
}

TEST(CurlFailure, EscapesWhatAPeerSays) {
  EXPECT_EQ(judge(CURLE_RECV_ERROR, "\x1b[2J").message, "the connection is lost: \\x1b[2J");
}

}  // namespace
}  // namespace netkit::sse
