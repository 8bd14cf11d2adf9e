#include <set>
#include <unordered_set>

#include <gtest/gtest.h>

#include <netkit/net/endpoint.hpp>

namespace netkit {
namespace {

Endpoint At(std::string_view text) {
  return Endpoint::parse(text).value();
}

TEST(EndpointText, IsReadBackAsItWasWritten) {
  for (const char* text :
       {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[2001:db8::5]:1", "[fe80::1%lo]:9"}) {
    EXPECT_EQ(At(text).to_string(), text);
  }
}

TEST(EndpointText, IsNumericOnly) {
  for (const char* text :
       {"", "80", ":80", "localhost:80", "::1:80", "[127.0.0.1]:80", "[::1]", "[::1]80",
        "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "127.0.0.1:80 "}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(EndpointText, IsAppended) {
  std::string out = "from ";
  At("[::1]:7").append_to(out);
  EXPECT_EQ(out, "from [::1]:7");
}

TEST(EndpointTest, IsASockaddr) {
  const Endpoint v4 = At("10.1.2.3:80");
  EXPECT_EQ(v4.size(), sizeof(sockaddr_in));
  EXPECT_EQ(Endpoint::from_sockaddr(v4.data(), v4.size()), v4);
  const Endpoint v6 = At("[2001:db8::1]:80");
  EXPECT_EQ(v6.size(), sizeof(sockaddr_in6));
  EXPECT_EQ(Endpoint::from_sockaddr(v6.data(), v6.size()), v6);
}

TEST(EndpointTest, RefusesOtherFamiliesAndShortAddresses) {
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(Endpoint::from_sockaddr(&other, sizeof other));
  EXPECT_FALSE(Endpoint::from_sockaddr(At("[::1]:1").data(), sizeof(sockaddr_in)));
  EXPECT_FALSE(Endpoint::from_sockaddr(nullptr, 0));
}

TEST(EndpointTest, ShowsWhatADualStackSocketReportsAsV4) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(80);
  raw.sin6_addr.s6_addr[10] = raw.sin6_addr.s6_addr[11] = 0xFF;
  raw.sin6_addr.s6_addr[12] = 127;
  raw.sin6_addr.s6_addr[15] = 1;
  const auto endpoint = Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&raw), sizeof raw);
  EXPECT_EQ(endpoint->to_string(), "127.0.0.1:80");
  EXPECT_EQ(endpoint->size(), sizeof raw) << "the socket wants it back as it came";
}

TEST(EndpointTest, DiffersInAddressPortFamilyAndZone) {
  const std::unordered_set<Endpoint> all{At("1.2.3.4:5"),    At("1.2.3.4:6"), At("1.2.3.5:5"),
                                         At("[::1]:5"),      At("[::2]:5"),   At("[fe80::1]:5"),
                                         At("[fe80::1%1]:5")};
  EXPECT_EQ(all.size(), 7u);
  EXPECT_EQ((std::set<Endpoint>(all.begin(), all.end()).size()), 7u);
  EXPECT_TRUE(all.contains(At("1.2.3.4:5")));
}

TEST(EndpointTest, KeepsItsAddressWithAnotherPort) {
  EXPECT_EQ(At("[fe80::1%1]:5").with_port(77), At("[fe80::1%1]:77"));
}

TEST(EndpointHash, SpreadsNeighboursOverTheLowBits) {
  std::unordered_set<std::size_t> slots;
  for (std::uint16_t port = 1; port <= 1024; ++port) {
    slots.insert(At("127.0.0.1:1").with_port(port).hash() & 1023u);
  }
  EXPECT_GT(slots.size(), 500u) << "random would give about 647";
}

}  // namespace
}  // namespace netkit
