// Runs a function in a child process with pipes for its standard streams, and tells how it ended.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netkit/util/file.hpp>

namespace netkit::test {

class ChildRun {
 public:
  // Starts at once. The child ends with what `body` returns.
  explicit ChildRun(const std::function<int()>& body) {
    int in[2];
    int out[2];
    int err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
      std::terminate();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      for (const int ours : {in[1], out[0], err[0]}) ::close(ours);
      ::_exit(body());
    }
    for (const int theirs : {in[0], out[1], err[1]}) ::close(theirs);
    stdin_.reset(in[1]);
    stdout_.reset(out[0]);
    stderr_.reset(err[0]);
  }
  ~ChildRun() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  ChildRun(const ChildRun&) = delete;
  ChildRun& operator=(const ChildRun&) = delete;

  void type(std::string_view bytes) {
    if (::write(stdin_.get(), bytes.data(), bytes.size()) < 0) std::terminate();
  }
  void close_stdin() { stdin_.reset(); }
  void close_stdout() { stdout_.reset(); }
  void signal(int signo) const { ::kill(pid_, signo); }
  // Reads until `text` has come; false when it does not within ten seconds.
  bool wait_for_stdout(std::string_view text) { return wait_for(stdout_, output, text); }
  bool wait_for_stderr(std::string_view text) { return wait_for(stderr_, errors, text); }
  // Waits until the child has filled the pipe of its stdout, so that it can write no more.
  bool wait_for_full_stdout() const {
    const Instant until = deadline();
    int bytes = 0;
    while (bytes < 60'000) {
      if (::ioctl(stdout_.get(), FIONREAD, &bytes) != 0 || milliseconds_until(until) == 0)
        return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }
  // Whether it closes its stderr, as its end does, before that many milliseconds are over.
  bool ends_within(int milliseconds) const {
    pollfd hang_up{stderr_.get(), 0, 0};
    return ::poll(&hang_up, 1, milliseconds) > 0;
  }
  // Waits for the end, reads the rest, and returns the status as a shell would say it.
  int finish() {
    close_stdin();
    read_all();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  std::string output;
  std::string errors;

 private:
  using Instant = std::chrono::steady_clock::time_point;

  static Instant deadline() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }
  static int milliseconds_until(Instant instant) {
    const auto left = instant - std::chrono::steady_clock::now();
    return static_cast<int>(
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 0));
  }

  // False at the end.
  static bool read_some(FileDescriptor& fd, std::string& all) {
    char buffer[65536];
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count > 0) all.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  static bool wait_for(FileDescriptor& fd, std::string& all, std::string_view text) {
    const Instant until = deadline();
    while (all.find(text) == std::string::npos) {
      pollfd wait{fd.get(), POLLIN, 0};
      if (!fd || ::poll(&wait, 1, milliseconds_until(until)) <= 0) return false;
      if (!read_some(fd, all)) return false;
    }
    return true;
  }

  void read_all() {
    const Instant until = deadline();
    while (stdout_ || stderr_) {
      pollfd waits[] = {{stdout_.get(), POLLIN, 0}, {stderr_.get(), POLLIN, 0}};
      if (::poll(waits, 2, milliseconds_until(until)) <= 0) return;
      if (waits[0].revents != 0 && !read_some(stdout_, output)) stdout_.reset();
      if (waits[1].revents != 0 && !read_some(stderr_, errors)) stderr_.reset();
    }
  }

  pid_t pid_ = 0;
  FileDescriptor stdin_;
  FileDescriptor stdout_;
  FileDescriptor stderr_;
};

}  // namespace netkit::test
