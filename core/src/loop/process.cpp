#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/loop/process.hpp>
#include <netkit/util/error.hpp>

extern char** environ;

namespace netkit {

using namespace std::chrono_literals;

namespace {

constexpr Duration kGrace = 500ms;

struct Pipe {
  FileDescriptor ours;
  FileDescriptor theirs;
};

Pipe make_pipe(bool child_reads) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw SystemError(errno, "cannot create a pipe");
  Pipe pipe{FileDescriptor(fds[child_reads ? 1 : 0]), FileDescriptor(fds[child_reads ? 0 : 1])};
  ::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// posix_spawn's attributes and file actions, destroyed whatever happens. dup2 clears close-on-exec
// for the copy.
class SpawnSetup {
 public:
  explicit SpawnSetup(const ProcessOptions& options) {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes, &set);
    ::sigfillset(&set);
    ::sigdelset(&set, SIGKILL);
    ::sigdelset(&set, SIGSTOP);
    ::posix_spawnattr_setsigdefault(&attributes, &set);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (options.own_group || options.group != 0) {
      flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
      ::posix_spawnattr_setpgroup(&attributes, options.group);
    }
    ::posix_spawnattr_setflags(&attributes, flags);
    if (options.foreground) ::posix_spawn_file_actions_addtcsetpgrp_np(&actions, STDIN_FILENO);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(
    const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [key, value] : more) replaced = replaced || key == name;
    if (!replaced) result.emplace_back(text);
  }
  for (const auto& [key, value] : more) {
    result.push_back(fmt::format("{}={}", key, value));
  }
  return result;
}

}  // namespace

struct Process::Impl {
  explicit Impl(EventLoop& its_loop) : loop(its_loop) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  EventLoop& loop;
  pid_t pid = -1;
  bool own_group = false;
  bool running = false;
  FileDescriptor pidfd;
  Watch watch;
  FileDescriptor in, out, err;
  std::function<void(ProcessEnd)> on_end;
  TimePoint give_up = TimePoint::max();  // when a child that was told to end is killed
  Timer grace;

  void reap();
  void send(int signo) const { ::kill(own_group ? -pid : pid, signo); }
  static void end(const std::shared_ptr<Impl>& self);
};

// At the end of a child's grace, or with the loop.
Process::Impl::~Impl() {
  if (!running) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - loop.clock().now());
  pollfd ended{pidfd.get(), POLLIN, 0};
  const int wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kGrace / 1ms));
  if (!pidfd || ::poll(&ended, 1, wait) <= 0) send(SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// The timer keeps the child from now on: its owner does not wait.
void Process::Impl::end(const std::shared_ptr<Impl>& self) {
  self->in.reset();
  self->out.reset();
  self->err.reset();
  self->on_end = {};
  self->give_up = saturating_add(self->loop.clock().now(), kGrace);
  self->send(SIGTERM);
  self->send(SIGCONT);
  self->grace = self->loop.at(self->give_up, [kept = self] {});
}

void Process::Impl::reap() {
  int status = 0;
  const pid_t got = ::waitpid(pid, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return;
  running = false;
  watch.reset();
  ProcessEnd end;
  if (got > 0 && WIFSIGNALED(status)) {
    end.signo = WTERMSIG(status);
    end.status = 128 + end.signo;
  } else if (got > 0) {
    end.status = WEXITSTATUS(status);
  } else {
    end.status = 127;  // somebody else reaped it (SIGCHLD ignored): must not look like success
  }
  if (grace.pending()) loop.destroy_later(std::make_unique<Timer>(std::move(grace)));
  const auto tell = std::move(on_end);  // which may destroy this
  if (tell) tell(end);
}

Process::Process(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<Process> Process::start(EventLoop& loop, const ProcessOptions& options,
                                        std::function<void(ProcessEnd)> on_end) {
  std::vector<std::string> argv = options.argv;
  if (argv.empty()) argv = {"sh", "-c", options.shell_command};
  SpawnSetup setup(options);
  auto impl = std::make_shared<Impl>(loop);
  FileDescriptor their_ends[3];
  if (options.pipe_stdin) {
    Pipe pipe = make_pipe(true);
    impl->in = std::move(pipe.ours);
    their_ends[0] = std::move(pipe.theirs);
    ::posix_spawn_file_actions_adddup2(&setup.actions, their_ends[0].get(), STDIN_FILENO);
  } else if (!options.share_stdin) {
    ::posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  const auto output = [&](bool wanted, FileDescriptor& ours, FileDescriptor& theirs, int fd) {
    if (!wanted) return;
    Pipe pipe = make_pipe(false);
    ours = std::move(pipe.ours);
    theirs = std::move(pipe.theirs);
    ::posix_spawn_file_actions_adddup2(&setup.actions, theirs.get(), fd);
  };
  output(options.pipe_stdout, impl->out, their_ends[1], STDOUT_FILENO);
  output(options.pipe_stderr, impl->err, their_ends[2], STDERR_FILENO);

  for (const auto& [from, to] : options.copies) {
    ::posix_spawn_file_actions_adddup2(&setup.actions, from, to);
  }
  if (!options.share_descriptors) {
    ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1);
  }

  std::vector<std::string> environment = merged_environment(options.environment);
  const int error = ::posix_spawnp(&impl->pid, argv[0].c_str(), &setup.actions, &setup.attributes,
                                   pointers(argv).data(), pointers(environment).data());
  if (error != 0) throw SystemError(error, fmt::format("cannot run '{}'", argv[0]));
  impl->running = true;
  impl->own_group = options.own_group;
  impl->on_end = std::move(on_end);
  impl->pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, impl->pid, 0)));
  auto process = std::unique_ptr<Process>(new Process(std::move(impl)));
  Impl* const raw = process->impl_.get();
  if (!raw->pidfd) throw SystemError(errno, fmt::format("cannot watch '{}'", argv[0]));
  raw->watch = loop.watch(raw->pidfd.get(), Interest::read, [raw](Ready) { raw->reap(); });
  return process;
}

Process::~Process() {
  if (impl_->running) Impl::end(impl_);
}

pid_t Process::pid() const {
  return impl_->pid;
}

bool Process::running() const {
  return impl_->running;
}

void Process::kill(int signo) {
  if (impl_->running) impl_->send(signo);
}

std::optional<bool> Process::take_stop_change() {
  siginfo_t info{};
  const int wanted = WSTOPPED | WCONTINUED | WNOHANG;
  if (!impl_->running || ::waitid(P_PID, static_cast<id_t>(impl_->pid), &info, wanted) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  return info.si_code != CLD_CONTINUED;
}

FileDescriptor Process::take_stdin() {
  return std::move(impl_->in);
}

FileDescriptor Process::take_stdout() {
  return std::move(impl_->out);
}

FileDescriptor Process::take_stderr() {
  return std::move(impl_->err);
}

}  // namespace netkit
