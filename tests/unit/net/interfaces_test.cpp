#include <gtest/gtest.h>

#include <netkit/net/interfaces.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(Interfaces, HaveLoopbackAmongThem) {
  const Interface loopback = find_interface("lo");
  EXPECT_TRUE(loopback.up);
  EXPECT_TRUE(loopback.loopback);
  EXPECT_FALSE(loopback.can_broadcast);
  EXPECT_GE(loopback.mtu, 1280u);
  ASSERT_FALSE(loopback.addresses.empty());
  EXPECT_EQ(loopback.addresses[0].address, IpAddress::loopback(IpAddress::Family::v4));
  EXPECT_EQ(loopback.addresses[0].prefix_length, 8u);
}

TEST(Interfaces, AreInOrderAndOnceEach) {
  unsigned last = 0;
  for (const Interface& interface : interfaces()) {
    EXPECT_GT(interface.index, last);
    last = interface.index;
    EXPECT_EQ(interface_name(interface.index), interface.name);
  }
}

TEST(FindInterface, TakesANameAnIndexOrAnAddress) {
  const unsigned index = find_interface("lo").index;
  EXPECT_EQ(find_interface(std::to_string(index)).name, "lo");
  EXPECT_EQ(find_interface("127.0.0.1").name, "lo");
}

TEST(FindInterface, ListsTheNamesThereAre) {
  try {
    find_interface("nonesuch0");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::unreachable);
    EXPECT_NE(std::string(error.what()).find("no interface 'nonesuch0' (there are: "),
              std::string::npos);
    EXPECT_NE(std::string(error.what()).find("lo"), std::string::npos);
  }
}

TEST(BroadcastOf, IsWhatIsSet) {
  EXPECT_EQ(broadcast_of(ip("10.1.2.3"), 24, ip("10.1.255.255")), ip("10.1.255.255"));
}

// getifaddrs() reports the address itself then.
TEST(BroadcastOf, IsTheLastOfTheNetworkWhereNoneIsSet) {
  EXPECT_EQ(broadcast_of(ip("10.1.2.3"), 24, ip("10.1.2.3")), ip("10.1.2.255"));
  EXPECT_EQ(broadcast_of(ip("10.1.2.1"), 30, std::nullopt), ip("10.1.2.3"));
  EXPECT_EQ(broadcast_of(ip("10.1.2.1"), 8, ip("0.0.0.0")), ip("10.255.255.255"));
}

TEST(BroadcastOf, IsNoneOfANetworkOfOneOrTwo) {
  EXPECT_EQ(broadcast_of(ip("10.1.2.3"), 32, ip("10.1.2.3")), std::nullopt);
  EXPECT_EQ(broadcast_of(ip("10.1.2.3"), 31, ip("10.1.2.3")), std::nullopt);
  EXPECT_EQ(broadcast_of(ip("fd00::1"), 64, std::nullopt), std::nullopt);
}

TEST(InterfaceName, IsItsNumberWhenItHasGone) {
  EXPECT_EQ(interface_name(987654), "987654");
}

TEST(LocalNetworksTest, KnowsItsOwnAddresses) {
  LocalNetworks networks;
  EXPECT_TRUE(networks.is_own(*IpAddress::parse("127.0.0.1")));
  EXPECT_TRUE(networks.is_own(*IpAddress::parse("127.9.9.9")));
  EXPECT_TRUE(networks.is_own(*IpAddress::parse("::1")));
  EXPECT_FALSE(networks.is_own(*IpAddress::parse("192.0.2.1")));
  for (const Interface& interface : interfaces()) {
    for (const InterfaceAddress& entry : interface.addresses) {
      EXPECT_TRUE(networks.is_own(entry.address));
      EXPECT_TRUE(!entry.broadcast || networks.is_broadcast(*entry.broadcast));
    }
  }
}

TEST(LocalNetworksTest, KnowsWhatIsOnLink) {
  LocalNetworks networks;
  EXPECT_TRUE(networks.is_on_link(*IpAddress::parse("127.1.2.3")));
  EXPECT_TRUE(networks.is_on_link(*IpAddress::parse("fe80::1")));
  EXPECT_FALSE(networks.is_on_link(*IpAddress::parse("2001:db8::1")));
}

TEST(LocalNetworksTest, KnowsTheLimitedBroadcast) {
  LocalNetworks networks;
  EXPECT_TRUE(networks.is_broadcast(*IpAddress::parse("255.255.255.255")));
  EXPECT_FALSE(networks.is_broadcast(*IpAddress::parse("127.0.0.1")));
}

}  // namespace
}  // namespace netkit
