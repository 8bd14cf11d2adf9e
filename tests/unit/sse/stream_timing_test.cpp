#include <chrono>
#include <cmath>
#include <sse/stream_timing.hpp>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using namespace std::chrono_literals;

class TimingTest : public testing::Test {
 protected:
  void read_after(Duration pause, std::uint64_t events) {
    now_ += pause;
    timing_.on_read(now_, events);
  }
  TimePoint now_{1h};
  StreamTiming timing_;
};

TEST_F(TimingTest, MeasuresNothingWithoutEvents) {
  timing_.on_request(now_);
  read_after(1s, 0);
  EXPECT_FALSE(timing_.first_event());
  EXPECT_EQ(timing_.gaps().count(), 0U);
  EXPECT_EQ(timing_.reads(), 0U);
  EXPECT_TRUE(std::isnan(timing_.events_per_second()));
}

TEST_F(TimingTest, MeasuresFromTheFirstRequestToTheFirstEvent) {
  timing_.on_request(now_);
  timing_.on_request(now_ + 1s);
  read_after(3s, 1);
  EXPECT_EQ(timing_.first_event(), 3s);
}

TEST_F(TimingTest, MeasuresTheGapsOfEvents) {
  timing_.on_request(now_);
  read_after(1s, 1);
  read_after(100ms, 3);
  read_after(200ms, 0);
  read_after(200ms, 1);
  EXPECT_EQ(timing_.gaps().count(), 4U);
  EXPECT_EQ(timing_.gaps().max(), 400ms);
  EXPECT_EQ(timing_.gaps().min(), 0s);
  EXPECT_DOUBLE_EQ(timing_.events_per_second(), 8.0);
}

TEST_F(TimingTest, SaysThatEventsAreHeldBack) {
  timing_.on_request(now_);
  read_after(2s, 200);
  read_after(2s, 200);
  read_after(1s, 12);
  EXPECT_EQ(timing_.held_back(), "412 events came in 3 reads: something on the path buffers them");
}

TEST_F(TimingTest, ABacklogThatComesAtOnceIsNotHeldBack) {
  timing_.on_request(now_);
  read_after(5ms, 1000);
  EXPECT_EQ(timing_.held_back(), "");
}

TEST_F(TimingTest, EventsThatComeOneByOneAreNotHeldBack) {
  timing_.on_request(now_);
  for (int i = 0; i < 100; ++i) read_after(1s, 1);
  read_after(1s, 12);
  EXPECT_EQ(timing_.held_back(), "");
}

}  // namespace
}  // namespace netkit::sse
