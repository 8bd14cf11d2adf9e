#include <echo/ping_statistics.hpp>

#include <gtest/gtest.h>

namespace netkit::echo {
namespace {

constexpr std::uint64_t kId = 0x0123456789abcdefu;

TEST(ProbeTest, HasTheSizeThatIsAskedForAndAMinimum) {
  EXPECT_EQ(make_probe(kId, 1, 56).size(), 56u);
  EXPECT_EQ(make_probe(kId, 1, 0).size(), kMinProbe);
}

TEST(ProbeTest, IsKnownInItsEcho) {
  const std::string probe = make_probe(kId, 1, 56);
  EXPECT_EQ(read_probe(make_probe(kId, 70'000, 56), probe), 70'000u);
  EXPECT_EQ(read_probe(make_probe(kId, 0xffffffffu, 56), probe), 0xffffffffu);
}

TEST(ProbeTest, IsNothingElse) {
  const std::string probe = make_probe(kId, 7, 56);
  for (const std::string& reply :
       {std::string(), std::string("pong"), "ack: " + probe, probe + "\n", probe.substr(1),
        make_probe(kId + 1, 7, 56), make_probe(kId, 7, 55), probe.substr(0, 55) + "!"}) {
    EXPECT_EQ(read_probe(reply, probe), std::nullopt) << reply;
  }
}

TEST(ProbeTest, IsNotKnownWhenItIsCut) {
  const std::string probe = make_probe(kId, 7, kMinProbe);
  for (std::size_t size = 0; size < probe.size(); ++size) {
    EXPECT_EQ(read_probe(probe.substr(0, size), probe), std::nullopt) << size;
  }
}

TEST(ProbeTest, IsStampedAnew) {
  std::string probe = make_probe(kId, 1, 20);
  const std::string filling = probe.substr(kMinProbe);
  stamp_probe(probe, kId, 2);
  EXPECT_EQ(read_probe(probe, probe), 2u);
  EXPECT_EQ(probe.substr(kMinProbe), filling);
}

}  // namespace
}  // namespace netkit::echo
