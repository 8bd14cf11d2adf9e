#include <cerrno>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

TEST(ErrorText, IsLowerCase) {
  EXPECT_EQ(error_text(ECONNREFUSED), "connection refused");
}

TEST(SystemErrorTest, SaysWhatFailedAndWhy) {
  const SystemError error(EADDRINUSE, "cannot bind udp 127.0.0.1:80");
  EXPECT_STREQ(error.what(), "cannot bind udp 127.0.0.1:80: address already in use");
  EXPECT_EQ(error.status(), ExitStatus::unreachable);
}

TEST(ExitStatusOf, FollowsTheTable) {
  EXPECT_EQ(exit_status_of(EACCES), ExitStatus::permission);
  EXPECT_EQ(exit_status_of(ENOSPC), ExitStatus::output);
  EXPECT_EQ(exit_status_of(ELOOP), ExitStatus::output);
  EXPECT_EQ(exit_status_of(ENETUNREACH), ExitStatus::unreachable);
  EXPECT_EQ(exit_status_of(EAFNOSUPPORT), ExitStatus::unreachable);
  EXPECT_EQ(exit_status_of(ENOMEM), ExitStatus::fault);
}

TEST(ExitStatuses, AreInAscendingOrder) {
  int last = -1;
  for (const ExitStatusInfo& info : exit_statuses()) {
    EXPECT_GT(static_cast<int>(info.status), last);
    last = static_cast<int>(info.status);
  }
}

}  // namespace
}  // namespace netkit
