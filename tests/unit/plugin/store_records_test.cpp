#include "plugin/store_records.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>
#include <netkit/store/conformance.hpp>
#include <netkit/store/memory_store.hpp>

// Here for its writer alone.
namespace netkit::store {
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);
}  // namespace netkit::store

namespace netkit {
namespace {

class StoreRecordsTest : public ::testing::Test, private store::Bench {
 protected:
  StoreRecordsTest() {
    host_.make_engine = [this](const store::Settings& settings, store::Engine::Handler& handler) {
      ++opened_;
      return store_.maker({host_.loop(), host_.log()})(settings, handler);
    };
  }
  store::MakeEngine maker(const store::Surroundings& around) override {
    return store_.maker(around);
  }

  test::FakeHost host_;
  store::MemoryStore store_;
  store::Peer writer_{*this, {host_.loop(), host_.log()}, {.stream = "log", .writer = 1}};
  int opened_ = 0;
};

// What is too large to wait is read later, from where that ends.
TEST_F(StoreRecordsTest, HoldsABoundOfBytesWhileNobodyWantsThem) {
  ASSERT_TRUE(writer_.open());
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(writer_.append(std::vector{std::to_string(i) + large}));
  std::vector<std::string> given;
  const auto feed = open_store_feed(host_, "memory:here/log?since=all",
                                    [&given](std::string_view text, WallTime) {
                                      given.emplace_back(text.substr(0, text.find('x')));
                                    });
  feed->resume();
  feed->pause();
  for (int i = 0; i < 10; ++i) host_.loop().run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(given.size(), 0u);
  EXPECT_EQ(opened_, 1);
  feed->resume();
  ASSERT_TRUE(host_.run_until([&given] { return given.size() == 40; }));
  EXPECT_GT(opened_, 1);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(given[static_cast<std::size_t>(i)], std::to_string(i));
}

}  // namespace
}  // namespace netkit
