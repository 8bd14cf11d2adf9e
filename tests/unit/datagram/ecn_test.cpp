// Whether a sender marks, and what a receiver tells of it.
#include "datagram/ecn.hpp"

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

struct Ecn : testing::Test {
  // So many DATA go out, marked where the sender does so, and come with these bits.
  void Carry(int count, std::uint8_t bits) {
    for (int i = 0; i < count; ++i) {
      if (!sender.marks()) continue;
      sender.on_sent();
      sender.on_acked();
      receiver.on_marked(bits);
    }
  }
  std::uint32_t Tell() { return sender.on_counts(receiver.counts()); }

  EcnSender sender;
  EcnReceiver receiver;
};

TEST_F(Ecn, MarksTheFirstTenUntilMarksAreKnownToArrive) {
  Carry(12, 2);
  EXPECT_FALSE(sender.marks());
  EXPECT_EQ(receiver.counts().marked, 10u);
  EXPECT_EQ(Tell(), 0u);
  EXPECT_TRUE(sender.marks());
}

TEST_F(Ecn, TellsWhatMetCongestionOnce) {
  Carry(10, 2);
  Tell();
  Carry(3, kCongestionExperienced);
  EXPECT_EQ(Tell(), 3u);
  EXPECT_EQ(Tell(), 0u);
  EXPECT_TRUE(sender.marks());
}

TEST_F(Ecn, EndsWhereThePathClearsMarks) {
  Carry(10, 0);
  Tell();
  EXPECT_FALSE(sender.marks());
}

TEST_F(Ecn, EndsWhereThePathBeginsToClearMarks) {
  Carry(10, 2);
  Tell();
  Carry(5, 0);
  Tell();
  EXPECT_FALSE(sender.marks());
}

TEST_F(Ecn, EndsWhereThePathMarksAll) {
  Carry(10, kCongestionExperienced);
  EXPECT_EQ(Tell(), 0u);
  EXPECT_FALSE(sender.marks());
}

TEST_F(Ecn, EndsWhereThePeerDoesNotTell) {
  Carry(4, 2);
  sender.on_counts(std::nullopt);
  EXPECT_FALSE(sender.marks());
}

TEST_F(Ecn, OlderCountsChangeNothing) {
  Carry(10, 2);
  Tell();
  const EcnCounts before = receiver.counts();
  Carry(10, 2);
  Tell();
  Carry(1, kCongestionExperienced);
  EXPECT_EQ(sender.on_counts(before), 0u);
  EXPECT_EQ(Tell(), 1u);
}

TEST_F(Ecn, CongestionIsToBeToldAtOnce) {
  EXPECT_FALSE(receiver.news());
  receiver.on_marked(2);
  EXPECT_TRUE(receiver.news());
  receiver.on_told();
  receiver.on_marked(2);
  EXPECT_FALSE(receiver.news());
  receiver.on_marked(kCongestionExperienced);
  EXPECT_TRUE(receiver.news());
}

}  // namespace
}  // namespace netkit::datagram
