#include <chrono>
#include <frame/faults.hpp>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
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

TEST(FaultyWay, KeepsPiecesApartThatAreLate) {
  const SystemClock clock;
  EventLoop loop(clock);
  std::vector<std::string> pieces;
  std::vector<TimePoint> times;
  FaultyWay way(loop, Faults::parse({"split=3"}), [&](std::string_view piece) {
    // Others have the processor.
    if (pieces.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pieces.emplace_back(piece);
    times.push_back(loop.now());
  });
  way.add("0123456");
  way.add("78");
  way.end([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(pieces, (std::vector<std::string>{"012", "345", "6", "78"}));
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], std::chrono::milliseconds(1));
  }
}

}  // namespace
}  // namespace netkit::frame
