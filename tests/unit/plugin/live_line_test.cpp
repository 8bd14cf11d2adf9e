#include "host_fixture.hpp"
#include "support/pty_run.hpp"

#include <csignal>
#include <string>

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

TEST(LiveLine, IsNotShownWhenQuiet) {
  PtyRun run([] { return run_count_up({{"quiet", "1"}}); });
  ASSERT_TRUE(run.wait_for("a record\r\n"));  // long after the first live line would have come
  run.signal(SIGTERM);
  run.finish();
  EXPECT_EQ(run.screen.find("received"), std::string::npos);
}

}  // namespace
}  // namespace netkit
