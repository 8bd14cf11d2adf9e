#include <frame/faults.hpp>
#include <string>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::frame {
namespace {

TEST(Faults, AreRead) {
  const Faults faults = Faults::parse({"delay=2ms", "split=1k", "corrupt=5%", "reset=7"});
  EXPECT_EQ(faults.delay, std::chrono::milliseconds(2));
  EXPECT_EQ(faults.split, 1024U);
  EXPECT_DOUBLE_EQ(faults.corrupt, 0.05);
  EXPECT_EQ(faults.reset, 7U);
  EXPECT_TRUE(faults.any());
  EXPECT_FALSE(Faults::parse({}).any());
}

TEST(Faults, ThatAreNoneAreRefused) {
  for (const char* text :
       {"", "=", "delay", "delay=-1", "split=0", "corrupt=", "corrupt=101", "reset=-1", "x=1"}) {
    EXPECT_THROW(Faults::parse({text}), UsageError) << text;
  }
}

}  // namespace
}  // namespace netkit::frame
