#include <echo/ping_statistics.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

constexpr std::uint64_t kId = 0x0123456789abcdefu;

TEST(ProbeTest, HasTheSizeThatIsAskedForAndAMinimum) {
  EXPECT_EQ(make_probe(kId, 1, 56).size(), 56u);
  EXPECT_EQ(make_probe(kId, 1, 0).size(), kMinProbe);
}

TEST(ProbeTest, IsFoundInItsEcho) {
  EXPECT_EQ(find_probe(make_probe(kId, 70'000, 56), kId), 70'000u);
  EXPECT_EQ(find_probe(make_probe(kId, 0xffffffffu, kMinProbe), kId), 0xffffffffu);
}

TEST(ProbeTest, IsFoundWithinALongerReply) {
  EXPECT_EQ(find_probe("ack: " + make_probe(kId, 7, 12) + "!", kId), 7u);
}

TEST(ProbeTest, IsNotFoundInAnythingElse) {
  EXPECT_EQ(find_probe("", kId), std::nullopt);
  EXPECT_EQ(find_probe("pong", kId), std::nullopt);
  EXPECT_EQ(find_probe(make_probe(kId + 1, 7, 56), kId), std::nullopt);
}

TEST(ProbeTest, IsNotFoundWhenItIsCut) {
  const std::string probe = make_probe(kId, 7, kMinProbe);
  for (std::size_t size = 0; size < probe.size(); ++size) {
    EXPECT_EQ(find_probe(probe.substr(0, size), kId), std::nullopt) << size;
  }
}

TEST(ProbeTest, IsStampedAnew) {
  std::string probe = make_probe(kId, 1, 20);
  const std::string filling = probe.substr(kMinProbe);
  stamp_probe(probe, kId, 2);
  EXPECT_EQ(find_probe(probe, kId), 2u);
  EXPECT_EQ(probe.substr(kMinProbe), filling);
}

}  // namespace
}  // namespace netkit::echo
