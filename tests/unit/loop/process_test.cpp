#include <csignal>
#include <memory>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/loop/process.hpp>
#include <netkit/util/error.hpp>

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
  // What the child prints until it closes its output.
  std::string printed() {
    std::string text;
    pollfd more{output_.get(), POLLIN, 0};
    while (::poll(&more, 1, 20'000) > 0) {
      char buffer[1000];
      const ssize_t count = ::read(output_.get(), buffer, sizeof buffer);
      if (count <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    ADD_FAILURE() << "still open, after " << text;
    return text;
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  std::unique_ptr<Process> process_;
  FileDescriptor output_;
  ProcessEnd end_;
  bool ended_ = false;
};

TEST_F(ProcessTest, MayBeDestroyedByWhatIsToldOfItsEnd) {
  struct Mark {
    bool& gone;
    ~Mark() { gone = true; }
  };
  bool gone = false;
  const auto mark = [&] { return std::shared_ptr<Mark>(new Mark{gone}); };
  process_ =
      Process::start(loop_, {.shell_command = "exit 0"}, [this, &gone, kept = mark()](ProcessEnd) {
        auto* const test = this;
        const bool& destroyed = gone;
        test->process_.reset();
        EXPECT_FALSE(destroyed) << "while it runs";
        test->ended_ = true;
        test->loop_.stop();
      });
  wait();
}

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

constexpr const char* kStubborn = "trap '' TERM; echo ready; exec 1>&-; while :; do :; done";

TEST_F(ProcessTest, IsEndedByTheLoopThatLivesOn) {
  run(kStubborn);
  EXPECT_EQ(printed(), "ready\n");
  const pid_t pid = process_->pid();
  process_.reset();
  EXPECT_EQ(::kill(pid, 0), 0);  // it was not waited for
  const Timer deadline = loop_.after(20s, [] { FAIL() << "still there"; });
  while (::kill(pid, 0) == 0 && deadline.pending()) loop_.run_once(20s);
}

TEST_F(ProcessTest, IsEndedWithTheLoop) {
  std::vector<pid_t> children;
  {
    EventLoop loop(clock_);
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 4; ++i) {
      processes.push_back(Process::start(loop, {.shell_command = kStubborn}, {}));
      children.push_back(processes.back()->pid());
    }
  }
  for (const pid_t pid : children) EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace netkit
