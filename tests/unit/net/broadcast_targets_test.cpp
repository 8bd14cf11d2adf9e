#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/interfaces.hpp>

namespace netkit {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Interface network(unsigned index, std::string_view address, std::string_view broadcast) {
  Interface interface;
  interface.index = index;
  interface.up = interface.can_broadcast = interface.can_multicast = true;
  interface.addresses.push_back({ip(address), 24, ip(broadcast)});
  interface.addresses.push_back({ip("fd00::1"), 64, {}});
  return interface;
}

class BroadcastTargetsTest : public testing::Test {
 protected:
  std::vector<std::string> targets(std::string_view to) const {
    std::vector<std::string> texts;
    for (const BroadcastTarget& target :
         broadcast_targets(Endpoint::parse(to).value(), interfaces_)) {
      texts.push_back(target.to.address().to_string().substr(0, 20) + " by " +
                      std::to_string(target.source.interface_index) + " from " +
                      target.source.address.to_string());
    }
    return texts;
  }
  std::vector<Interface> interfaces_{network(2, "10.0.0.1", "10.0.0.255"),
                                     network(3, "10.1.0.1", "10.1.0.255")};
};

TEST_F(BroadcastTargetsTest, AreEveryNetworksOwnBroadcastAddress) {
  EXPECT_EQ(
      targets("255.255.255.255:9"),
      (std::vector<std::string>{"10.0.0.255 by 2 from 10.0.0.1", "10.1.0.255 by 3 from 10.1.0.1"}));
}

TEST_F(BroadcastTargetsTest, LeaveOutWhatIsDownOrCannot) {
  interfaces_[0].up = false;
  interfaces_[1].can_broadcast = false;
  EXPECT_TRUE(targets("255.255.255.255:9").empty());
  interfaces_[0].up = interfaces_[1].can_broadcast = true;
  interfaces_[0].loopback = true;
  EXPECT_EQ(targets("255.255.255.255:9").size(), 1U);
}

TEST_F(BroadcastTargetsTest, AreEveryInterfaceForAGroup) {
  EXPECT_EQ(targets("239.1.2.3:9"), (std::vector<std::string>{"239.1.2.3 by 2 from 10.0.0.1",
                                                              "239.1.2.3 by 3 from 10.1.0.1"}));
  EXPECT_EQ(targets("[ff02::1]:9").size(), 2U);
  interfaces_[1].can_multicast = false;
  EXPECT_EQ(targets("239.1.2.3:9").size(), 1U);
  interfaces_[0].addresses.pop_back();
  EXPECT_TRUE(targets("[ff02::1]:9").empty());
}

TEST_F(BroadcastTargetsTest, LeaveOthersToTheRoutingTable) {
  EXPECT_EQ(targets("10.0.0.255:9"), (std::vector<std::string>{"10.0.0.255 by 0 from 0.0.0.0"}));
  EXPECT_EQ(targets("127.0.0.1:9").size(), 1U);
}

}  // namespace
}  // namespace netkit
