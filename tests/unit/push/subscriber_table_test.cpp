#include <push/subscriber_table.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::push {
namespace {

Endpoint at(unsigned port) {
  return {*IpAddress::parse("10.0.0.1"), static_cast<std::uint16_t>(port)};
}

TEST(SubscriberTable, FindsByNameAddressAndSession) {
  SubscriberTable table;
  Subscriber& plain = table.add("ann", at(1), {});
  Subscriber& native = table.add("bob", at(2), {.index = 5, .generation = 9});
  EXPECT_EQ(table.find_name("ann"), &plain);
  EXPECT_EQ(table.find_plain(at(1)), &plain);
  EXPECT_EQ(table.find_session({5, 9}), &native);
  EXPECT_EQ(table.find_session({5, 8}), nullptr);
  EXPECT_EQ(table.find_plain(at(2)), nullptr);
  EXPECT_EQ(table.size(), 2u);
}

TEST(SubscriberTable, PlainAddressesStayWithoutGaps) {
  SubscriberTable table;
  for (unsigned i = 1; i <= 5; ++i) table.add("s" + std::to_string(i), at(i), {});
  table.remove(*table.find_name("s2"));
  table.remove(*table.find_name("s5"));
  table.remove(*table.find_name("s1"));
  ASSERT_EQ(table.plain_paths().size(), 2u);
  for (const datagram::Path& path : table.plain_paths()) {
    ASSERT_NE(table.find_plain(path.peer), nullptr);
    EXPECT_EQ(table.find_plain(path.peer)->address, path.peer);
  }
  EXPECT_EQ(table.find_plain(at(2)), nullptr);
}

TEST(SubscriberTable, AnIndexIsUsedAgain) {
  SubscriberTable table;
  table.remove(table.add("ann", at(1), {.index = 0, .generation = 1}));
  Subscriber& bob = table.add("bob", at(1), {.index = 0, .generation = 2});
  EXPECT_EQ(table.find_session({0, 1}), nullptr);
  EXPECT_EQ(table.find_session({0, 2}), &bob);
}

}  // namespace
}  // namespace netkit::push
