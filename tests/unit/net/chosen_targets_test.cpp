#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/interfaces.hpp>

namespace netkit {
namespace {

Interface network(unsigned index, const char* name, const char* address, const char* broadcast) {
  Interface interface;
  interface.index = index;
  interface.name = name;
  interface.up = true;
  interface.loopback = std::string(name) == "lo";
  interface.can_broadcast = interface.can_multicast = !interface.loopback;
  InterfaceAddress own;
  own.address = *IpAddress::parse(address);
  if (broadcast != nullptr) own.broadcast = IpAddress::parse(broadcast);
  interface.addresses.push_back(own);
  return interface;
}

class ChosenTargetsTest : public testing::Test {
 protected:
  std::vector<std::string> to(const char* address, std::vector<Interface> chosen = {}) {
    std::vector<std::string> texts;
    for (const BroadcastTarget& target :
         broadcast_targets(*Endpoint::parse(address), all_, chosen)) {
      texts.push_back(target.to.to_string() + " by " +
                      std::to_string(target.source.interface_index));
    }
    return texts;
  }
  const Interface lo_ = network(1, "lo", "127.0.0.1", nullptr);
  const Interface eth0_ = network(2, "eth0", "10.1.0.5", "10.1.255.255");
  const Interface eth1_ = network(3, "eth1", "10.2.0.5", "10.2.255.255");
  std::vector<Interface> all_{lo_, eth0_, eth1_};
};

using Texts = std::vector<std::string>;

TEST_F(ChosenTargetsTest, TheLimitedBroadcastGoesToEveryNetwork) {
  EXPECT_EQ(to("255.255.255.255:9"), (Texts{"10.1.255.255:9 by 2", "10.2.255.255:9 by 3"}));
}

TEST_F(ChosenTargetsTest, MulticastGoesToEveryNetwork) {
  EXPECT_EQ(to("239.1.2.3:9"), (Texts{"239.1.2.3:9 by 2", "239.1.2.3:9 by 3"}));
}

TEST_F(ChosenTargetsTest, ADirectedBroadcastIsSentOnceByTheRoutingTable) {
  EXPECT_EQ(to("10.1.255.255:9"), (Texts{"10.1.255.255:9 by 0"}));
}

TEST_F(ChosenTargetsTest, WhatIsNamedIsUsedLoopbackToo) {
  EXPECT_EQ(to("255.255.255.255:9", {lo_}), (Texts{"127.255.255.255:9 by 1"}));
  EXPECT_EQ(to("239.1.2.3:9", {eth1_}), (Texts{"239.1.2.3:9 by 3"}));
  EXPECT_EQ(to("10.9.9.9:9", {eth0_, eth1_}), (Texts{"10.9.9.9:9 by 2", "10.9.9.9:9 by 3"}));
}

TEST_F(ChosenTargetsTest, WhatIsNamedTwiceIsUsedOnce) {
  EXPECT_EQ(to("255.255.255.255:9", {eth0_, eth0_}), (Texts{"10.1.255.255:9 by 2"}));
  EXPECT_EQ(to("239.1.2.3:9", {eth1_, eth0_, eth1_}),
            (Texts{"239.1.2.3:9 by 3", "239.1.2.3:9 by 2"}));
  EXPECT_EQ(to("10.9.9.9:9", {eth0_, eth0_}), (Texts{"10.9.9.9:9 by 2"}));
}

TEST_F(ChosenTargetsTest, WithLoopbackOnlyTheRoutingTableDecides) {
  all_ = {lo_};
  EXPECT_EQ(to("239.1.2.3:9"), (Texts{"239.1.2.3:9 by 0"}));
}

}  // namespace
}  // namespace netkit
