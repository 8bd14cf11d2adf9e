#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/log.hpp>

namespace netkit {
namespace {

class LogTest : public testing::Test {
 protected:
  std::vector<std::string>& capture(Log& log) {
    log.redirect([this](std::string_view line) { lines_.emplace_back(line); });
    return lines_;
  }
  std::vector<std::string> lines_;
};

TEST_F(LogTest, WritesOneLineAFactToStderr) {
  const Log log("netkit: echo: ", LogLevel::notice);
  testing::internal::CaptureStderr();
  log.notice("listening on udp 127.0.0.1:9");
  log.error("bad");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "netkit: echo: listening on udp 127.0.0.1:9\nnetkit: echo: bad\n");
}

TEST_F(LogTest, ShowsWhatItsLevelLetsThrough) {
  for (const LogLevel threshold :
       {LogLevel::error, LogLevel::notice, LogLevel::info, LogLevel::protocol, LogLevel::hex}) {
    Log log("", threshold);
    lines_.clear();
    capture(log);
    log.error("0");
    log.notice("1");
    log.info("2");
    log.protocol("3");
    log.hex("4", {});
    EXPECT_EQ(lines_.size(), static_cast<std::size_t>(threshold) + 1);
  }
}

TEST_F(LogTest, EscapesWhatAPeerMayHaveSent) {
  Log log("netkit: ", LogLevel::notice);
  capture(log);
  log.notice("from \x1b[2J\nnetkit: forged");
  EXPECT_EQ(lines_, (std::vector<std::string>{"netkit: from \\x1b[2J\\x0anetkit: forged\n"}));
}

TEST_F(LogTest, BearsTheTimeFromTheSecondVOn) {
  const test::FakeClock clock;
  for (const LogLevel threshold : {LogLevel::info, LogLevel::protocol}) {
    Log log("netkit: echo: ", threshold, &clock);
    capture(log);
    log.notice("hi");
    log.info("connected");
  }
  EXPECT_EQ(lines_, (std::vector<std::string>{
                        "netkit: echo: hi\n", "netkit: echo: connected\n", "netkit: echo: hi\n",
                        "netkit: echo: " + rfc3339(clock.wall()) + " connected\n"}));
}

TEST_F(LogTest, DumpsBytes) {
  Log log("", LogLevel::hex);
  capture(log);
  log.hex("received", "0123456789abcdef\n\xff");
  ASSERT_EQ(lines_.size(), 3U);
  EXPECT_EQ(lines_[0], "received (18 bytes)\n");
  EXPECT_EQ(lines_[1],
            "0000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n");
  EXPECT_EQ(lines_[2], "0010  0a ff                                             |..|\n");
  lines_.clear();
  log.hex("sent", "x");
  EXPECT_EQ(lines_[0], "sent (1 byte)\n");
}

TEST_F(LogTest, GoesBackToStderr) {
  Log log("", LogLevel::notice);
  capture(log);
  log.redirect({});
  testing::internal::CaptureStderr();
  log.notice("x");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "x\n");
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace netkit
