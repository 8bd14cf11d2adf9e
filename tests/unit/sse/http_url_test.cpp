#include "support/refusal.hpp"

#include <sse/http_url.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

TEST(HttpUrl, IsSplit) {
  const HttpUrl url = parse_http_url("https://a.example:8443/b/c?d#e");
  EXPECT_TRUE(url.is_tls);
  EXPECT_EQ(url.server.host, "a.example");
  EXPECT_EQ(url.server.port, 8443);
  EXPECT_EQ(url.host, "a.example:8443");
  EXPECT_EQ(url.path, "/b/c?d");
}

TEST(HttpUrl, HasTheUsualPort) {
  EXPECT_EQ(parse_http_url("http://a").server.port, 80);
  EXPECT_EQ(parse_http_url("https://a").server.port, 443);
  EXPECT_EQ(parse_http_url("http://a").path, "/");
  EXPECT_EQ(parse_http_url("http://a?b").path, "/?b");
}

TEST(HttpUrl, NamesTheInterfaceOfALinkLocalAddress) {
  for (const char* text : {"http://[fe80::1%25lo]:8000/x", "[fe80::1%lo]:8000/x"}) {
    const HttpUrl url = parse_http_url(text);
    EXPECT_EQ(url.server.host, "fe80::1%lo") << text;
    EXPECT_EQ(url.host, "[fe80::1]:8000") << text;
    EXPECT_EQ(url.path, "/x") << text;
  }
}

TEST(HttpUrl, OfAPortIsThisMachine) {
  EXPECT_EQ(completed_url("8000/x"), "http://127.0.0.1:8000/x");
  EXPECT_EQ(completed_url(":8000"), "http://127.0.0.1:8000");
  EXPECT_EQ(completed_url("a:8000/x"), "http://a:8000/x");
  EXPECT_EQ(completed_url("https://8000"), "https://8000");
}

TEST(HttpUrl, IsNothingElse) {
  for (const char* text : {"ftp://a", "http://", "http://u:p@a", "http://8000", "http:///x"}) {
    EXPECT_THROW(parse_http_url(text), UsageError) << text;
  }
}

std::string refusal_of(const char* text) {
  return test::refusal([&] { parse_http_url(text); });
}

TEST(HttpUrl, OfAWebSocketIsNamed) {
  EXPECT_EQ(refusal_of("ws://a:8000/x"),
            "'ws://a:8000/x' is a WebSocket URL, but event streams are read over HTTP (write "
            "http://a:8000/x)");
  EXPECT_THAT(refusal_of("WSS://u:secret@a"), ::testing::EndsWith("(write https://u@a)"));
}

TEST(HttpUrl, IsShownWithoutItsPassword) {
  EXPECT_EQ(refusal_of("http://u:secret@a/x"),
            "'http://u@a/x' has a login, which is not sent here (write http://HOST:PORT/PATH)");
}

}  // namespace
}  // namespace netkit::sse
