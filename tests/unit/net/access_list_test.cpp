#include <gtest/gtest.h>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

bool permits(const AccessList& list, const char* address) {
  return list.permits(IpAddress::parse(address).value());
}

TEST(AccessListTest, AnEmptyOneLetsEverybodyIn) {
  EXPECT_TRUE(permits(AccessList{}, "192.0.2.1"));
}

TEST(AccessListTest, DenyKeepsItsBlockOut) {
  const AccessList list({}, {"192.0.2.0/24", "2001:db8::/32"});
  EXPECT_FALSE(permits(list, "192.0.2.200"));
  EXPECT_FALSE(permits(list, "2001:db8::1"));
  EXPECT_TRUE(permits(list, "192.0.3.1"));
}

TEST(AccessListTest, AllowLetsOnlyItsBlocksIn) {
  const AccessList list({"10.0.0.0/8", "::1"}, {});
  EXPECT_TRUE(permits(list, "10.9.8.7"));
  EXPECT_TRUE(permits(list, "::1"));
  EXPECT_FALSE(permits(list, "127.0.0.1"));
}

TEST(AccessListTest, DenyWinsOverAllow) {
  const AccessList list({"10.0.0.0/8"}, {"10.1.0.0/16"});
  EXPECT_TRUE(permits(list, "10.2.0.1"));
  EXPECT_FALSE(permits(list, "10.1.0.1"));
}

TEST(AccessListTest, RefusesWhatIsNoBlock) {
  EXPECT_THROW(AccessList({"10.0.0.0/33"}, {}), UsageError);
  EXPECT_THROW(AccessList({}, {"localhost"}), UsageError);
}

class SourceSharesTest : public testing::Test {
 protected:
  bool take(const char* source) { return shares_.take(*IpAddress::parse(source)); }
  SourceShares shares_{4};
};

TEST_F(SourceSharesTest, OneSourceLeavesAQuarterToOthers) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(take("192.0.2.1"));
  EXPECT_FALSE(take("192.0.2.1"));
  EXPECT_TRUE(take("192.0.2.2"));
}

TEST_F(SourceSharesTest, APlaceThatIsGivenBackCanBeTakenAgain) {
  for (int i = 0; i < 3; ++i) take("192.0.2.1");
  shares_.give_back(*IpAddress::parse("192.0.2.1"));
  EXPECT_TRUE(take("192.0.2.1"));
  EXPECT_FALSE(take("192.0.2.1"));
}

TEST_F(SourceSharesTest, AHostHasOneShareWithAllItsAddresses) {
  for (const char* source : {"2001:db8::1", "2001:db8::2", "2001:db8::3"})
    EXPECT_TRUE(take(source));
  EXPECT_FALSE(take("2001:db8::4"));
  EXPECT_TRUE(take("2001:db8:0:1::1"));
}

TEST_F(SourceSharesTest, ThisMachineMayHaveAll) {
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(take("127.0.0.1"));
}

TEST_F(SourceSharesTest, PeersOfAUnixSocketMayHaveAll) {
  const IpAddress none = Endpoint::unix_peer(7).address();
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(shares_.take(none));
}

TEST(SourceSharesOfFewTest, AreNotParted) {
  SourceShares shares(1);
  EXPECT_TRUE(shares.take(*IpAddress::parse("192.0.2.1")));
}

}  // namespace
}  // namespace netkit
