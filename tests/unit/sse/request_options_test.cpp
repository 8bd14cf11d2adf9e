#include <sse/http_url.hpp>
#include <sse/request_options.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

TEST(WithoutPasswords, LeavesOutWhatIsBetweenColonAndAt) {
  EXPECT_EQ(without_passwords("http://a:b@c/d"), "http://a@c/d");
  EXPECT_EQ(without_passwords("http://a:b@c@d:1/"), "http://a@d:1/");
  EXPECT_EQ(without_passwords("'ftp://:b@c'"), "'ftp://@c'");
  EXPECT_EQ(without_passwords("//a:b@c?x=1:2@3"), "//a@c?x=1:2@3");
  EXPECT_EQ(without_passwords("of http://a:b@c, of http://d:e@f"), "of http://a@c, of http://d@f");
}

TEST(WithoutPasswords, LeavesTheRestAsItIs) {
  for (const std::string text : {"", "/", "//", "http://", "http://a@b:1/c:d@e", "http://[::1]:1/",
                                 "a: b@c", "http://a/b//c"}) {
    EXPECT_EQ(without_passwords(text), text);
  }
}

TEST(ResolvedUrl, IsRelativeToWhereItWasSaid) {
  EXPECT_EQ(resolved_url("http://a:1/b/c?d", "e#f"), "http://a:1/b/e#f");
  EXPECT_EQ(resolved_url("http://a/b", "//c/d"), "http://c/d");
  EXPECT_EQ(resolved_url("http://a/b", "HTTPS://c"), "https://c/");
  EXPECT_EQ(resolved_url("http://a/b", ""), "http://a/b");
  EXPECT_EQ(resolved_url("http://a/b", "ftp://c/d"), "ftp://c/d");
  EXPECT_FALSE(resolved_url("http://a/b", "http://[::1/"));
}

TEST(AsciiUrl, WritesTheHostInAscii) {
  EXPECT_EQ(ascii_url("http://b\u00fccher.example:1/\u00e9"),
            "http://xn--bcher-kva.example:1/\u00e9");
  EXPECT_EQ(ascii_url("http://a/b#c"), "http://a/b#c");
  EXPECT_EQ(ascii_url("http://\xFF/"), "");
}

TEST(Origin, IsSchemeHostAndPort) {
  EXPECT_EQ(origin_of("HTTP://Ann@A.b/c"), "http://a.b:80");
  EXPECT_EQ(origin_of("https://[::1]/"), "https://[::1]:443");
  EXPECT_NE(origin_of("http://a./"), origin_of("http://a/"));
}

}  // namespace
}  // namespace netkit::sse
