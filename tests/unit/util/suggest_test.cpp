#include <array>

#include <gtest/gtest.h>

#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::array<std::string_view, 6> kWords{"echo", "chat", "broadcast",
                                                 "push", "sse",  "frame"};

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("serve", "sevre"), 1u);
  EXPECT_EQ(edit_distance("Echo", "echo"), 0u);
  EXPECT_EQ(edit_distance(std::string(100, 'a'), "b"), 100u);
}

TEST(Suggest, FindsTheNearestWord) {
  EXPECT_EQ(suggest("ehco", kWords), "echo");
  EXPECT_EQ(suggest("brodcast", kWords), "broadcast");
  EXPECT_EQ(suggest("frmae", kWords), "frame");
}

TEST(Suggest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(suggest("zebra", kWords), "");
  EXPECT_EQ(suggest("x", kWords), "");
  EXPECT_EQ(suggest("", kWords), "");
}

TEST(Suggest, IsTheEndOfAMessage) {
  EXPECT_EQ(did_you_mean("ehco", kWords), "; did you mean 'echo'?");
  EXPECT_EQ(did_you_mean("zebra", kWords), "");
}

}  // namespace
}  // namespace netkit
