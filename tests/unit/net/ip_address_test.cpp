#include <arpa/inet.h>
#include <net/if.h>

#include <gtest/gtest.h>

#include <netkit/net/ip_address.hpp>

namespace netkit {
namespace {

// What `text` is written as once it has been read, `-` when it is refused.
std::string Canonical(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->to_string() : "-";
}

bool Contains(std::string_view block, std::string_view address) {
  return Cidr::parse(block)->contains(*IpAddress::parse(address));
}

TEST(IpAddressParse, ReadsDottedQuads) {
  EXPECT_EQ(Canonical("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(Canonical("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(Canonical("255.255.255.255"), "255.255.255.255");
}

TEST(IpAddressParse, RefusesWhatIsNotANumericAddress) {
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "localhost",
        "[::1]", ":::", "1::2::3", "12345::", "::g", "1.2.3.4%lo", "::1%lo", "fe80::1%",
        "fe80::1%no-such-interface0", "fe80::1%0"}) {
    EXPECT_EQ(Canonical(text), "-") << text;
  }
  EXPECT_EQ(Canonical(std::string_view("1.2.3.4\0", 8)), "-");
}

TEST(IpAddressText, FollowsRfc5952) {
  EXPECT_EQ(Canonical("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(Canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(Canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(Canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(Canonical("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(Canonical("::1"), "::1");
  EXPECT_EQ(Canonical("1::"), "1::");
  EXPECT_EQ(Canonical("1:2:3:4:5:6:7:0"), "1:2:3:4:5:6:7:0");
}

TEST(IpAddressText, AgreesWithTheSystemOnEveryPatternOfZeroGroups) {
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    std::array<std::uint8_t, 16> bytes{};
    for (unsigned group = 0; group < 8; ++group) {
      if ((pattern >> group & 1u) != 0) bytes[2 * group + 1] = static_cast<std::uint8_t>(group + 9);
    }
    // inet_ntop writes the last groups of ::a:b in dotted form, RFC 5952 does not ask for it.
    bytes[0] |= 0x20;
    char expected[INET6_ADDRSTRLEN];
    ::inet_ntop(AF_INET6, bytes.data(), expected, sizeof expected);
    EXPECT_EQ(IpAddress::v6(bytes).to_string(), expected);
  }
}

TEST(IpAddressParse, ReadsAMappedAddressAsTheV4AddressItHolds) {
  EXPECT_EQ(Canonical("::ffff:10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(*IpAddress::parse("::ffff:10.1.2.3"), *IpAddress::parse("10.1.2.3"));
}

TEST(IpAddressZone, IsANameOrANumber) {
  const auto by_name = IpAddress::parse("fe80::1%lo");
  ASSERT_TRUE(by_name);
  EXPECT_EQ(by_name->scope_id(), ::if_nametoindex("lo"));
  EXPECT_EQ(Canonical("fe80::1%" + std::to_string(::if_nametoindex("lo"))), "fe80::1%lo");
  EXPECT_EQ(Canonical("ff02::1%lo"), "ff02::1%lo");
  EXPECT_EQ(Canonical("fe80::1%987654"), "fe80::1%987654");
}

TEST(IpAddressKind, IsKnown) {
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_TRUE(IpAddress::any(IpAddress::Family::v6).is_unspecified());
  EXPECT_TRUE(IpAddress::parse("127.8.8.8")->is_loopback());
  EXPECT_TRUE(IpAddress::loopback(IpAddress::Family::v6).is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("239.255.255.255")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("240.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("169.254.1.1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("255.255.255.255")->is_limited_broadcast());
}

TEST(CidrTest, HoldsTheAddressesOfItsPrefix) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(Contains("192.168.8.77/20", "192.168.15.255"));
  EXPECT_FALSE(Contains("192.168.8.77/20", "192.168.16.0"));
  EXPECT_TRUE(Contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_TRUE(Contains("fe80::/10", "febf::1"));
  EXPECT_FALSE(Contains("fe80::/10", "fec0::1"));
  EXPECT_FALSE(Contains("::/0", "1.2.3.4"));
}

TEST(CidrTest, IsOneAddressWithoutALength) {
  EXPECT_TRUE(Contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(Contains("10.1.2.3", "10.1.2.2"));
  EXPECT_EQ(Cidr::parse("::1")->to_string(), "::1/128");
}

TEST(CidrTest, IsWrittenWithoutTheBitsBelowItsLength) {
  EXPECT_EQ(Cidr::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::parse("2001:db8::1/33")->to_string(), "2001:db8::/33");
}

TEST(CidrTest, RefusesLengthsThatAreNone) {
  for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.0/+8", "/8", "10/8"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

}  // namespace
}  // namespace netkit
