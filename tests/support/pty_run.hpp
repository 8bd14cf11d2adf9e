// Runs a function in a child process on a terminal of its own.
#pragma once

#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <poll.h>
#include <pty.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <netkit/util/file.hpp>

namespace netkit::test {

class PtyRun {
 public:
  explicit PtyRun(const std::function<int()>& body) {
    winsize size{24, 80, 0, 0};
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) std::terminate();
    ::tcgetattr(slave, &before_);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(master);
      ::login_tty(slave);
      ::setenv("TERM", "xterm", 1);
      ::setenv("INPUTRC", "/dev/null", 1);
      ::_exit(body());
    }
    master_.reset(master);
    slave_.reset(slave);  // kept open, so that its modes can be asked for at the end
  }
  ~PtyRun() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  PtyRun(const PtyRun&) = delete;
  PtyRun& operator=(const PtyRun&) = delete;

  void type(std::string_view keys) {
    if (::write(master_.get(), keys.data(), keys.size()) < 0) std::terminate();
  }
  void signal(int signo) const { ::kill(pid_, signo); }
  // Reads until `text` has come after what was waited for before; false when it does not within
  // ten seconds.
  bool wait_for(std::string_view text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      const std::size_t at = screen.find(text, seen_);
      if (at != std::string::npos) {
        seen_ = at + text.size();
        return true;
      }
      pollfd wait{master_.get(), POLLIN, 0};
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) return false;
      char buffer[4096];
      const ssize_t count = ::read(master_.get(), buffer, sizeof buffer);
      if (count <= 0) return false;
      screen.append(buffer, static_cast<std::size_t>(count));
    }
  }
  int finish() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  // Whether the terminal is as it was at the start.
  bool is_restored() const {
    termios after{};
    ::tcgetattr(slave_.get(), &after);
    return after.c_lflag == before_.c_lflag && after.c_iflag == before_.c_iflag &&
           after.c_cc[VINTR] == before_.c_cc[VINTR];
  }

  std::string screen;

 private:
  pid_t pid_ = 0;
  FileDescriptor master_;
  FileDescriptor slave_;
  termios before_{};
  std::size_t seen_ = 0;
};

}  // namespace netkit::test
