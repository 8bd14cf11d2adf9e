#include <gtest/gtest.h>

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

}  // namespace
}  // namespace netkit
