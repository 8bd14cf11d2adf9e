#include <sse/http_url.hpp>

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

}  // namespace
}  // namespace netkit::sse
