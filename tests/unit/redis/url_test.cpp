#include <redis/url.hpp>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::redis {
namespace {

TEST(Urls, HaveServersAPrefixAndAUser) {
  const Url url = Url::parse("redis://ann@a:1,[::1]:2,c/some/prefix");
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.user, "ann");
  ASSERT_EQ(url.servers.size(), 3u);
  EXPECT_EQ(url.servers[0].to_string(), "a:1");
  EXPECT_EQ(url.servers[1].to_string(), "[::1]:2");
  EXPECT_EQ(url.servers[2].to_string(), "c:6379");
  EXPECT_EQ(url.prefix, "some/prefix");
  EXPECT_EQ(url.sentinel, "");
}

TEST(Urls, SayWhoSpeaksTlsAndWhomSentinelKnows) {
  const Url url = Url::parse("rediss://a,b/p?sentinel=main");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.sentinel, "main");
  EXPECT_EQ(url.servers[1].to_string(), "b:26379");
}

TEST(Urls, ThatAreNoneAreRefused) {
  for (const char* text :
       {"redis:a", "redis://", "redis:///p", "redis://a", "redis://a/", "redis://a:x/p",
        "redis://a/p?x=1", "redis://a/p?sentinel=", "redis://a/{p}", "redis://a:99999/p"}) {
    EXPECT_THROW(Url::parse(text), UsageError) << text;
  }
}

TEST(Keys, AreInOneSlot) {
  const Keys keys("p", "chat");
  EXPECT_EQ(keys.stream, "p:chat");
  EXPECT_EQ(keys.state, "{p:chat}:state");
  EXPECT_EQ(keys.name("ann"), "{p:chat}:name:ann");
}

}  // namespace
}  // namespace netkit::redis
