#include <csignal>
#include <memory>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/process.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

class ProcessTest : public testing::Test {
 protected:
  void run(const std::string& command) {
    run(ProcessOptions{.shell_command = command, .pipe_stdout = true});
  }
  void run(const ProcessOptions& options) {
    process_ = Process::start(loop_, options, [this](ProcessEnd end) {
      end_ = end;
      ended_ = true;
      loop_.stop();
    });
    output_ = process_->take_stdout();
  }
  void wait() {
    const Timer deadline = loop_.after(20s, [this] { loop_.stop(); });
    if (!ended_) loop_.run();
    ASSERT_TRUE(ended_);
  }
  std::string printed() {
    std::string text;
    char buffer[1000];
    ssize_t count = 0;
    while ((count = ::read(output_.get(), buffer, sizeof buffer)) > 0)
      text.append(buffer, static_cast<std::size_t>(count));
    return text;
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  std::unique_ptr<Process> process_;
  FileDescriptor output_;
  ProcessEnd end_;
  bool ended_ = false;
};

TEST_F(ProcessTest, GivesItsOutputAndItsStatus) {
  run("echo hello; exit 7");
  wait();
  EXPECT_EQ(printed(), "hello\n");
  EXPECT_EQ(end_.status, 7);
}

TEST_F(ProcessTest, ASignalIsReportedAsAShellWould) {
  run("kill -9 $$");
  wait();
  EXPECT_EQ(end_.status, 137);
  EXPECT_EQ(end_.signo, SIGKILL);
}

TEST_F(ProcessTest, StartsWithNoSignalBlockedOrIgnored) {
  std::signal(SIGPIPE, SIG_IGN);
  const Hook hook = loop_.on_signal(SIGUSR1, [] {});
  run("kill -PIPE $$; echo still here");
  wait();
  EXPECT_EQ(end_.signo, SIGPIPE);
  run("kill -USR1 $$; echo still here");
  ended_ = false;
  wait();
  EXPECT_EQ(end_.signo, SIGUSR1);
  std::signal(SIGPIPE, SIG_DFL);
}

TEST_F(ProcessTest, GetsTheEnvironmentItIsGiven) {
  run(ProcessOptions{.shell_command = "printf %s \"$NETKIT_TEXT\"",
                     .environment = {{"NETKIT_TEXT", "a\nb"}},
                     .pipe_stdout = true});
  wait();
  EXPECT_EQ(printed(), "a\nb");
}

TEST_F(ProcessTest, InheritsNoDescriptorOfOurs) {
  run("ls /proc/self/fd | wc -l");
  wait();
  EXPECT_EQ(printed(), "4\n");  // 0, 1, 2 and the folder that ls reads
}

TEST_F(ProcessTest, AProgramThatDoesNotExistIsNamed) {
  try {
    run(ProcessOptions{.argv = {"/nonexistent/program"}});
    FAIL() << "started";
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "cannot run '/nonexistent/program': no such file or directory");
  }
}

TEST_F(ProcessTest, IsEndedWithItsOwner) {
  run("trap '' TERM; echo ready; while :; do read x < /dev/zero; done");
  const pid_t pid = process_->pid();
  process_.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace netkit
