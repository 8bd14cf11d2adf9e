#include "support/refused_call.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;
using test::refuse_call;

// A loop with two connected sockets, and verbs for what the tests do with them.
class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override { make_pair(); }

  void make_pair() {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    near_.reset(fds[0]);
    far_.reset(fds[1]);
  }
  void far_says(const std::string& text) {
    ASSERT_EQ(::write(far_.get(), text.data(), text.size()), ssize_t(text.size()));
  }
  std::string near_hears() {
    char buffer[100];
    const ssize_t count = ::read(near_.get(), buffer, sizeof buffer);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
  }
  void turn() { loop_.run_once(0ns); }

  SystemClock clock_;
  EventLoop loop_{clock_};
  FileDescriptor near_, far_;
};

TEST_F(EventLoopTest, CallsWhenReadable) {
  std::string heard;
  const Watch watch =
      loop_.watch(near_.get(), Interest::read, [&](Ready) { heard = near_hears(); });
  far_says("hello");
  turn();
  EXPECT_EQ(heard, "hello");
}

TEST_F(EventLoopTest, IsLevelTriggered) {
  int calls = 0;
  const Watch watch = loop_.watch(near_.get(), Interest::read, [&](Ready) { ++calls; });
  far_says("x");
  turn();
  turn();
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, HangUpWakesAReader) {
  Ready seen;
  const Watch watch = loop_.watch(near_.get(), Interest::read, [&](Ready ready) { seen = ready; });
  far_.reset();
  turn();
  EXPECT_TRUE(seen.readable);
  EXPECT_TRUE(seen.hangup);
}

TEST_F(EventLoopTest, WithoutInterestHangUpDoesNotWake) {
  int calls = 0;
  Watch watch = loop_.watch(near_.get(), Interest::read, [&](Ready) { ++calls; });
  watch.set(Interest::none);
  far_.reset();
  turn();
  turn();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(loop_.counters().events, 0U);
}

TEST_F(EventLoopTest, InterestInFailureHearsOfHangUpAlone) {
  int calls = 0;
  Ready seen;
  const Watch watch = loop_.watch(near_.get(), Interest::failure, [&](Ready ready) {
    ++calls;
    seen = ready;
  });
  far_says("x");
  loop_.run_once(0ms);
  EXPECT_EQ(calls, 0);
  far_.reset();
  loop_.run_once(1s);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(seen.hangup);
  EXPECT_FALSE(seen.readable || seen.writable);
}

TEST_F(EventLoopTest, AnEventForAClosedAndReusedDescriptorIsDropped) {
  int wrong = 0;
  Watch second;
  FileDescriptor other_near, other_far;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  other_near.reset(fds[0]);
  other_far.reset(fds[1]);
  ASSERT_EQ(::write(other_far.get(), "x", 1), 1);
  far_says("x");
  Watch victim;
  // Whichever runs first closes the other's descriptor and puts a fresh one in its place.
  const auto replace = [&](Watch& watch, FileDescriptor& fd) {
    watch.reset();
    const int number = fd.get();
    fd.reset();
    int fresh[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fresh), 0);
    ASSERT_EQ(fresh[0], number);
    fd.reset(fresh[0]);
    second = loop_.watch(fresh[0], Interest::read, [&](Ready) { ++wrong; });
    far_.reset(fresh[1]);
  };
  Watch first = loop_.watch(near_.get(), Interest::read, [&](Ready) {
    first.set(Interest::none);
    if (!second) replace(victim, other_near);
  });
  victim = loop_.watch(other_near.get(), Interest::read, [&](Ready) {
    victim.set(Interest::none);
    if (!second) replace(first, near_);
  });
  turn();
  EXPECT_TRUE(second);
  EXPECT_EQ(wrong, 0);
}

TEST_F(EventLoopTest, ARegularFileIsAlwaysReady) {
  char name[] = "/tmp/netkit-loop-XXXXXX";
  const FileDescriptor file(::mkstemp(name));
  ::unlink(name);
  int calls = 0;
  Watch watch = loop_.watch(file.get(), Interest::read,
                            [&](Ready ready) { calls += ready.readable ? 1 : 0; });
  turn();
  turn();
  watch.set(Interest::none);
  turn();
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, AWatchMayEndItselfInItsCallback) {
  auto value = std::make_shared<std::string>("kept");
  std::string after;
  Watch watch = loop_.watch(near_.get(), Interest::read, [&, value](Ready) {
    watch.reset();
    after = *value;
  });
  far_says("x");
  turn();
  turn();
  EXPECT_EQ(after, "kept");
  EXPECT_EQ(value.use_count(), 1);
}

TEST_F(EventLoopTest, TimersRunInTheOrderOfTheirDueTimes) {
  std::vector<int> order;
  const Timer b = loop_.after(50ms, [&] { order.push_back(2); });
  const Timer a = loop_.after(1ms, [&] { order.push_back(1); });
  const Timer c = loop_.after(50ms, [&] {
    order.push_back(3);
    loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(EventLoopTest, ACancelledTimerDoesNotRun) {
  int calls = 0;
  Timer cancelled = loop_.after(0ns, [&] { ++calls; });
  cancelled.reset();
  turn();
  EXPECT_EQ(calls, 0);
}

TEST_F(EventLoopTest, ATimerThatRenewsItselfDoesNotHoldTheLoop) {
  int calls = 0;
  Timer timer;
  std::function<void()> again = [&] {
    ++calls;
    timer = loop_.after(0ns, again);
  };
  again();
  turn();
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, DeferredWorkRunsAfterTheCallbacksOfTheTurn) {
  std::string order;
  far_says("x");
  Watch watch = loop_.watch(near_.get(), Interest::read, [&](Ready) {
    loop_.defer([&] { order += "deferred"; });
    order += "callback,";
    watch.reset();
  });
  turn();
  EXPECT_EQ(order, "callback,deferred");
}

TEST_F(EventLoopTest, TheHookRunsBeforeEveryWait) {
  int calls = 0;
  Hook hook = loop_.before_wait([&] { ++calls; });
  turn();
  turn();
  hook.reset();
  turn();
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, AHookThatEndsHidesNoOther) {
  int calls = 0;
  Hook first = loop_.before_wait([&] { first.reset(); });
  const Hook second = loop_.before_wait([&] { ++calls; });
  turn();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, TheHookRunsAfterTheLastTurnToo) {
  std::string buffered, flushed;
  const Hook hook = loop_.before_wait([&] { flushed += std::exchange(buffered, {}); });
  loop_.post([&] {
    buffered = "last words";
    loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(flushed, "last words");
}

TEST_F(EventLoopTest, ATimerMadeInTheFirstHookWaitsItsTime) {
  int calls = 0;
  Timer timer;
  const Hook hook = loop_.before_wait([&] {
    if (!timer.pending()) timer = loop_.after(1h, [&] { ++calls; });
  });
  turn();
  EXPECT_EQ(calls, 0);
}

TEST_F(EventLoopTest, TheLoopMayGoBeforeWhatItsCallbacksOwn) {
  struct Owner {
    Watch watch;
    Timer timer;
    Hook hook;
  };
  auto loop = std::make_unique<EventLoop>(clock_);
  auto owner = std::make_shared<Owner>();
  const std::weak_ptr<Owner> gone = owner;
  // Cycles, which only the end of the loop can break.
  owner->watch = loop->watch(near_.get(), Interest::read, [owner](Ready) {});
  owner->timer = loop->after(1h, [owner] {});
  owner->hook = loop->before_wait([owner] {});
  owner.reset();
  EXPECT_FALSE(gone.expired());
  loop.reset();
  EXPECT_TRUE(gone.expired());
}

TEST_F(EventLoopTest, WhatIsDeferredByADestructorIsDroppedWithTheLoop) {
  struct Deferring {
    Deferring(EventLoop& on, std::shared_ptr<int> value) : loop(on), token(std::move(value)) {}
    Deferring(const Deferring&) = delete;
    Deferring& operator=(const Deferring&) = delete;
    EventLoop& loop;
    std::shared_ptr<int> token;
    ~Deferring() {
      loop.defer([kept = token] {});
    }
  };
  const auto token = std::make_shared<int>(0);
  {
    EventLoop loop(clock_);
    loop.destroy_later(std::make_unique<Deferring>(loop, token));
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(EventLoopTest, PostsFromOtherThreadsAllRunOnTheLoop) {
  const auto self = std::this_thread::get_id();
  int count = 0;
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        loop_.post([&] {
          EXPECT_EQ(std::this_thread::get_id(), self);
          if (++count == 4000) loop_.stop();
        });
      }
    });
  }
  loop_.run();
  EXPECT_EQ(count, 4000);
}

TEST_F(EventLoopTest, SignalsArriveAsCallbacks) {
  int calls = 0;
  const Hook hook = loop_.on_signal(SIGUSR2, [&] {
    ++calls;
    loop_.stop();
  });
  ::kill(::getpid(), SIGUSR2);
  loop_.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, ASignalsNextHookOutlivesTheOneBefore) {
  int calls = 0;
  Hook hook = loop_.on_signal(SIGUSR2, [] {});
  hook = loop_.on_signal(SIGUSR2, [&] { ++calls; });
  ::kill(::getpid(), SIGUSR2);
  turn();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, ASignalsHookThatEndsHidesNoOther) {
  int calls = 0;
  Hook first = loop_.on_signal(SIGUSR2, [&] { first.reset(); });
  const Hook second = loop_.on_signal(SIGUSR2, [&] { ++calls; });
  ::kill(::getpid(), SIGUSR2);
  turn();
  EXPECT_EQ(calls, 1);
}

// As where no descriptors are left.
TEST_F(EventLoopTest, ASignalsHookThatIsRefusedLeavesNothing) {
  std::thread([this] {
    refuse_call(SYS_signalfd4, EMFILE);
    EXPECT_THROW(static_cast<void>(loop_.on_signal(SIGUSR2, [] {})), SystemError);
  }).join();
  int calls = 0;
  const Hook hook = loop_.on_signal(SIGUSR2, [&] { ++calls; });
  ::kill(::getpid(), SIGUSR2);
  turn();
  EXPECT_EQ(calls, 1);
}

// Old kernels, and sandboxes with an old list of system calls.
TEST_F(EventLoopTest, WaitsWithoutEpollPwait2) {
  for (const int refusal : {ENOSYS, EPERM}) {
    std::thread([this, refusal] {
      refuse_call(SYS_epoll_pwait2, refusal);
      EventLoop loop(clock_);
      const Timer timer = loop.after(10ms, [&] { loop.stop(); });
      loop.run();
      EXPECT_LE(loop.counters().wakeups, 3U);
    }).join();
  }
}

TEST_F(EventLoopTest, KeepsTheTimeOfATurnUntilItIsReadAgain) {
  const Timer timer = loop_.after(0ns, [&] {
    const TimePoint begin = loop_.now();
    while (clock_.now() == begin) {
    }
    EXPECT_EQ(loop_.now(), begin);
    const TimePoint again = loop_.refresh_now();
    EXPECT_GT(again, begin);
    EXPECT_EQ(loop_.now(), again);
    loop_.stop();
  });
  loop_.run();
}

TEST_F(EventLoopTest, AnIdleLoopMakesNoWakeUps) {
  const Timer timer = loop_.after(30ms, [&] { loop_.stop(); });
  loop_.run();
  EXPECT_LE(loop_.counters().wakeups, 2U);
}

TEST_F(EventLoopTest, SpinningFindsAnEventWithoutBlocking) {
  loop_.set_spin(5s);
  std::string heard;
  const Watch watch = loop_.watch(near_.get(), Interest::read, [&](Ready) {
    heard = near_hears();
    loop_.stop();
  });
  const std::jthread writer([&] { far_says("soon"); });
  loop_.run();
  EXPECT_EQ(heard, "soon");
  EXPECT_EQ(loop_.counters().wakeups, 0U);
}

TEST_F(EventLoopTest, ATimerThatIsAlwaysOverdueHoldsNoOtherUp) {
  Timer overdue;
  int rounds = 0;
  const std::function<void()> again = [&] {
    if (++rounds < 1'000'000) overdue = loop_.at(clock_.now() - 1s, again);
  };
  again();
  const Timer end = loop_.after(1ms, [&] { loop_.stop(); });
  loop_.run();
  EXPECT_LT(rounds, 1'000'000);
}

}  // namespace
}  // namespace netkit
