#include "host_fixture.hpp"
#include "support/pty_run.hpp"

#include <csignal>
#include <cstdint>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace netkit {
namespace {

using test::emit;
using test::PtyRun;

// Counts something now and then, emits a record and logs a line on the way.
ExitStatus count_up(Host& host) {
  std::uint64_t count = 0;
  host.set_totals([&](Totals& totals) { totals.add("received", count); });
  const Timer timer = host.loop().every(std::chrono::milliseconds(20), [&] {
    ++count;
    if (count == 70) emit(host, "a record");
    if (count == 120) host.log().notice("a line");
  });
  return host.run_loop();
}

// Nothing but counts.
ExitStatus count_silently(Host& host) {
  std::uint64_t count = 0;
  host.set_totals([&](Totals& totals) { totals.add("received", count); });
  const Timer timer = host.loop().every(std::chrono::milliseconds(20), [&] { ++count; });
  return host.run_loop();
}

// In a window that has room for 17 columns.
ExitStatus count_in_little_room(Host& host) {
  const winsize size{24, 20, 0, 0};
  ::ioctl(STDERR_FILENO, TIOCSWINSZ, &size);
  host.set_totals([](Totals& totals) {
    totals.add("received", std::uint64_t{1234});
    totals.add("x", std::uint64_t{5678});
  });
  return host.run_loop();
}

ExitStatus say_and_wait(Host& host) {
  host.set_totals([](Totals&) {});  // leaves signals to the loop
  host.log().notice("here");
  const ExitStatus status = host.run_loop();
  host.log().notice("gone");
  return status;
}

int run_server(const test::Options& options, ExitStatus (*body)(Host& host)) {
  ActionDef action = test::test_action(Lifetime::until_told);
  action.quiet_hides_records = false;
  action.common |= kServerOptions;
  return test::host_main(action, test::host_values(options), body);
}

int run_count_up(const test::Options& options) {
  return run_server(options, count_up);
}

TEST(LiveLine, IsRewrittenInPlaceAndMakesRoomForOthers) {
  PtyRun run([] { return run_count_up({}); });
  ASSERT_TRUE(run.wait_for("\r\x1b[Kreceived "));
  ASSERT_TRUE(run.wait_for("\r\x1b[Kreceived "));
  ASSERT_TRUE(run.wait_for("\r\x1b[Ka record\r\n"));
  ASSERT_TRUE(run.wait_for("\r\x1b[Knetkit: echo: a line\r\n"));
  ASSERT_TRUE(run.wait_for("\r\x1b[Kreceived "));
  run.signal(SIGTERM);
  ASSERT_TRUE(run.wait_for("\r\x1b[Knetkit: echo: received "));
  EXPECT_EQ(run.finish(), 0);
}

TEST(LiveLine, IsErasedBySuspensionAndComesBack) {
  PtyRun run([] { return run_server({}, count_silently); });
  ASSERT_TRUE(run.wait_for("\r\x1b[Kreceived "));
  for (int times = 0; times < 2; ++times) {
    run.signal(SIGTSTP);  // which stops nothing here: nobody could continue it
    ASSERT_TRUE(run.wait_for("\r\x1b[K\r\x1b[Kreceived "));
  }
}

TEST(LiveLine, EndsBehindAWholeNumber) {
  PtyRun run([] { return run_server({}, count_in_little_room); });
  ASSERT_TRUE(run.wait_for("\r\x1b[Kreceived 1,234"));
  run.signal(SIGTERM);
  ASSERT_TRUE(run.wait_for("netkit: echo: received 1,234, x 5,678"));
  EXPECT_NE(run.screen.find("received 1,234\r\x1b[K"), std::string::npos) << run.screen;
}

TEST(LiveLine, WhatFollowsCtrlCHasALineOfItsOwn) {
  PtyRun run([] { return run_server({}, say_and_wait); });
  ASSERT_TRUE(run.wait_for("here"));
  run.type("\x03");
  EXPECT_TRUE(run.wait_for("\r\n^C\r\nnetkit: echo: gone\r\n")) << run.screen;
  PtyRun told([] { return run_server({}, say_and_wait); });
  ASSERT_TRUE(told.wait_for("here\r\n"));
  told.signal(SIGINT);
  EXPECT_TRUE(told.wait_for("netkit: echo: gone\r\n"));
  EXPECT_NE(told.screen.find("here\r\nnetkit: echo: gone"), std::string::npos)
      << "nobody has typed anything: " << told.screen;
}

TEST(LiveLine, IsNotShownWhenQuiet) {
  PtyRun run([] { return run_count_up({{"quiet", "1"}}); });
  ASSERT_TRUE(run.wait_for("a record\r\n"));  // long after the first live line would have come
  run.signal(SIGTERM);
  run.finish();
  EXPECT_EQ(run.screen.find("received"), std::string::npos);
}

}  // namespace
}  // namespace netkit
