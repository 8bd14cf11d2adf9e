#include <gtest/gtest.h>

#include <netkit/net/udp_client.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

// There is no way to the first: it lacks the interface.
const Endpoint kLost(*IpAddress::parse("fe80::1"), 9);
const Endpoint kFirst(*IpAddress::parse("127.0.0.1"), 9);
const Endpoint kSecond(*IpAddress::parse("127.0.0.2"), 9);

TEST(ServerAddresses, PassesOverWhatThereIsNoWayTo) {
  ServerAddresses addresses({kLost, kFirst});
  EXPECT_TRUE(addresses.connect().connected());
  EXPECT_EQ(addresses.current(), kFirst);
}

TEST(ServerAddresses, TriesEachOnceUntilItStartsOver) {
  ServerAddresses addresses({kFirst, kLost, kSecond});
  addresses.connect();
  EXPECT_TRUE(addresses.connect_next());
  EXPECT_EQ(addresses.current(), kSecond);
  EXPECT_FALSE(addresses.connect_next());
  EXPECT_EQ(addresses.current(), kSecond);
  addresses.start_over();
  EXPECT_TRUE(addresses.connect_next());
  EXPECT_EQ(addresses.current(), kFirst);
}

TEST(ServerAddresses, ThrowsWhatTheFirstSaysWhereNoneIsOfUse) {
  ServerAddresses addresses({kLost, Endpoint(*IpAddress::parse("fe80::2"), 9)});
  EXPECT_THROW(addresses.connect(), SystemError);
  EXPECT_EQ(addresses.current(), kLost);
}

TEST(FirstRoutable, IsTheFirstWhereNoneIs) {
  EXPECT_EQ(first_routable({kLost, kFirst, kSecond}), kFirst);
  EXPECT_EQ(first_routable({kLost}), kLost);
  EXPECT_EQ(first_routable({kLost, kLost}), kLost);
  EXPECT_EQ(first_routable({Endpoint(*IpAddress::parse("127.255.255.255"), 9), kFirst}).address(),
            *IpAddress::parse("127.255.255.255"));
}

}  // namespace
}  // namespace netkit
