#include <atomic>
#include <stdexcept>

#include <gtest/gtest.h>

#include <netkit/loop/worker_loops.hpp>

namespace netkit {
namespace {

TEST(WorkerLoopsTest, SetUpRunsOnEveryLoopAndItsResultIsDestroyedThere) {
  const SystemClock clock;
  std::atomic<int> alive{0};
  {
    WorkerLoops workers(clock, 3, [&](EventLoop&, unsigned) {
      ++alive;
      return std::shared_ptr<void>(new int(0), [&](int* value) {
        --alive;
        delete value;
      });
    });
    EXPECT_EQ(alive, 3);
  }
  EXPECT_EQ(alive, 0);
}

TEST(WorkerLoopsTest, RunsWorkOnEachAndWaits) {
  const SystemClock clock;
  WorkerLoops workers(clock, 3, [](EventLoop&, unsigned) { return nullptr; });
  std::atomic<unsigned> sum{0};
  workers.run_on_each([&](unsigned index) { sum += index; });
  EXPECT_EQ(sum, 6U);
}

TEST(WorkerLoopsTest, MayEndAsSoonAsTheyHaveBegun) {
  const SystemClock clock;
  std::atomic<int> made{0};
  for (int i = 0; i < 100; ++i) {
    const WorkerLoops workers(clock, 4, [&](EventLoop&, unsigned) {
      ++made;
      return nullptr;
    });
  }
  EXPECT_EQ(made, 400);
}

TEST(WorkerLoopsTest, AWorkerMayStopItsOwnLoop) {
  const SystemClock clock;
  const WorkerLoops workers(clock, 2, [](EventLoop& loop, unsigned) {
    loop.post([&loop] { loop.stop(); });
    return nullptr;
  });
}

TEST(WorkerLoopsTest, ThrowsWhatASetUpThrew) {
  const SystemClock clock;
  const auto make = [&] {
    WorkerLoops workers(clock, 3, [](EventLoop&, unsigned index) -> std::shared_ptr<void> {
      if (index == 2) throw std::runtime_error("no");
      return nullptr;
    });
  };
  EXPECT_THROW(make(), std::runtime_error);
}

}  // namespace
}  // namespace netkit
