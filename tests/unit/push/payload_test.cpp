#include "support/page_vectors.hpp"

#include <map>
#include <push/payload.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::push {
namespace {

TEST(ManPage, ShowsWhatIsSaidInConnectAndAccept) {
  const std::map<std::string, std::string> made = {
      {"connect", test::hex(encode(Request{0x0102030405060708u, 99, "ann"}))},
      {"accept", test::hex(encode(Welcome{0x0102030405060708u, 100}))}};
  EXPECT_EQ(test::page_vectors("push-vector"), made);
}

TEST(Payload, ARequestComesBackAsItWas) {
  const std::string bytes = encode(Request{0x0102030405060708u, 99, "ann"});
  EXPECT_EQ(bytes, std::string("\1\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\x63"
                               "ann",
                               20));
  const auto request = decode_request(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->stream, 0x0102030405060708u);
  EXPECT_EQ(request->since, 99u);
  EXPECT_EQ(request->name, "ann");
}

TEST(Payload, AWelcomeComesBackAsItWas) {
  const auto welcome = decode_welcome(encode(Welcome{7, UINT64_MAX}));
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->stream, 7u);
  EXPECT_EQ(welcome->first, UINT64_MAX);
}

TEST(Payload, EveryTruncatedFormIsRefused) {
  const std::string request = encode(Request{1, 2, "a"});
  const std::string welcome = encode(Welcome{1, 2});
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_FALSE(decode_request(request.substr(0, size)));
  }
  for (std::size_t size = 0; size < welcome.size(); ++size) {
    EXPECT_FALSE(decode_welcome(welcome.substr(0, size)));
  }
  EXPECT_FALSE(decode_welcome(welcome + "x"));
}

TEST(Payload, AnotherVersionIsRefused) {
  std::string request = encode(Request{1, 2, "a"});
  request[0] = 2;
  EXPECT_FALSE(decode_request(request));
}

TEST(Payload, ANameIsCleanedAndLimited) {
  EXPECT_EQ(clean_name(" \tann b\r\n"), "ann b");
  EXPECT_FALSE(clean_name(" \n"));
  EXPECT_TRUE(clean_name(std::string(kMaxName, 'x')));
  EXPECT_FALSE(clean_name(std::string(kMaxName + 1, 'x')));
  EXPECT_FALSE(clean_name("ann\u200B"));
}

}  // namespace
}  // namespace netkit::push
