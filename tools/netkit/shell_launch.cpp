#include "shell_launch.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw SystemError(errno, "cannot make a pipe");
  return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

[[noreturn]] void fail_child(const std::string& sentence, int status) {
  static_cast<void>(write_all(STDERR_FILENO, "netkit: shell: " + sentence + "\n"));
  ::_exit(status);
}

void redirect(const Redirection& redirection) {
  if (redirection.to_output) {
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    return;
  }
  const int mode = redirection.append ? O_APPEND : O_TRUNC;
  const int flags = redirection.fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | mode;
  const int fd = ::open(redirection.file.c_str(), flags | O_CLOEXEC, 0666);
  if (fd < 0) fail_child(escaped_text(redirection.file) + ": " + error_text(errno), 1);
  ::dup2(fd, redirection.fd);
}

void reset_signals() {
  for (const int signo : {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGCHLD}) {
    ::signal(signo, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

struct Streams {
  int input = -1;
  int output = -1;
};

[[noreturn]] void run_child(const ShellCommand& command, const LaunchOptions& options,
                            const std::vector<std::string>& words, const Streams& streams,
                            int error_fd) {
  if (streams.input >= 0) ::dup2(streams.input, STDIN_FILENO);
  if (streams.output >= 0) ::dup2(streams.output, STDOUT_FILENO);
  if (error_fd >= 0) ::dup2(error_fd, STDERR_FILENO);
  for (const Redirection& redirection : command.redirections) redirect(redirection);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  const int error = errno;
  const std::string& word = words.front();
  if (error == ENOENT && word.find('/') == std::string::npos) {
    fail_child(options.unknown(word), 127);
  }
  fail_child(escaped_text(word) + ": " + error_text(error), error == ENOENT ? 127 : 126);
}

}  // namespace

Launched launch(const Pipeline& pipeline, const LaunchOptions& options) {
  Launched launched;
  Pipe captured;
  if (options.capture) captured = make_pipe();
  FileDescriptor input;
  if (options.null_input) input.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (std::size_t i = 0; i < pipeline.commands.size(); ++i) {
    const ShellCommand& command = pipeline.commands[i];
    const std::vector<std::string> words = options.resolve(command.words);
    const bool last = i + 1 == pipeline.commands.size();
    Pipe next;
    if (!last) next = make_pipe();
    const Streams streams{input.get(), last ? captured.write.get() : next.write.get()};
    const pid_t pid = ::fork();
    if (pid < 0) throw SystemError(errno, "cannot start a process");
    if (pid == 0) {
      ::setpgid(0, launched.group);
      // SIGTTOU is still ignored here, as the shell has it.
      if (options.terminal) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
      reset_signals();
      run_child(command, options, words, streams, captured.write.get());
    }
    if (launched.group == 0) launched.group = pid;
    ::setpgid(pid, launched.group);
    launched.pids.push_back(pid);
    input = std::move(next.read);
  }
  if (options.terminal) ::tcsetpgrp(STDIN_FILENO, launched.group);
  if (captured.read) ::fcntl(captured.read.get(), F_SETFL, O_NONBLOCK);
  launched.output = std::move(captured.read);
  return launched;
}

}  // namespace netkit
