#include "plugin/process_context.hpp"

#include "io/terminal.hpp"
#include "plugin/live_line.hpp"
#include "util/blocking_call.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

constexpr int kEnding[] = {SIGINT, SIGTERM};

// A wrapper may pass on the Ctrl-C that its whole process group has received. Until the loop has
// seen the first, one that follows within this time counts as the same.
constexpr std::int64_t kSamePress = 50'000'000;  // nanoseconds

// A signal handler has nothing but static storage to look at.
std::atomic<bool> loop_reads_signals = false;
std::atomic<bool> loop_will_run = false;
std::atomic<int> first_signal = 0;
std::atomic<bool> first_was_typed = false;
std::atomic<std::int64_t> first_time = 0;
std::atomic<bool> taken = false;  // the loop has heard of it
std::atomic<int> for_loop = -1;   // an eventfd
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);
pthread_t loop_thread;

std::int64_t nanoseconds_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The loop may be busy with something that never ends, so it is not asked.
[[noreturn]] void end_at_once(int signo) {
  if (!loop_reads_signals) end_by_signal(signo);
  LiveLine::erase_at_once();
  restore_terminal_modes();
  ::_exit(signal_exit_status(signo));
}

extern "C" void on_ending_signal(int signo, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  if (!loop_reads_signals && (!loop_will_run || BlockingCall::under_way())) end_by_signal(signo);
  int none = 0;
  if (first_signal.compare_exchange_strong(none, signo)) {
    first_time = nanoseconds_now();
    first_was_typed = info->si_code == SI_KERNEL;
    const std::uint64_t one = 1;
    if (::write(for_loop, &one, sizeof one) < 0) end_at_once(signo);
  } else if (!loop_reads_signals || taken || nanoseconds_now() - first_time > kSamePress) {
    end_at_once(signo);
  }
  errno = error;
}

extern "C" void on_totals_signal(int signo) {
  if (loop_reads_signals) pthread_kill(loop_thread, signo);
}

void set_action(int signo, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signo, &action, nullptr);
}

void catch_ending_signal(int signo) {
  struct sigaction action = {};
  action.sa_sigaction = on_ending_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_SIGINFO);
  ::sigaction(signo, &action, nullptr);
}

}  // namespace

StandardStreams::StandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // open() takes the lowest free number, which is this one. The opposite direction, so that using
    // it fails as if it were closed.
    const int direction = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", direction) != fd) return;
  }
}

StopSignals::StopSignals() : arrived_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!arrived_) throw SystemError(errno, "eventfd");
  loop_thread = pthread_self();
  loop_reads_signals = false;
  loop_will_run = false;
  first_signal = 0;
  first_was_typed = false;
  taken = false;
  for_loop = arrived_.get();
  set_action(SIGPIPE, SIG_IGN);
  set_action(SIGUSR1, on_totals_signal);
  for (const int signo : kEnding) catch_ending_signal(signo);
}

StopSignals::~StopSignals() {
  loop_reads_signals = false;
  watch_.reset();
  before_wait_.reset();
  totals_.reset();
  for (const int signo : kEnding) set_action(signo, SIG_DFL);
  set_action(SIGUSR1, SIG_DFL);
  set_action(SIGPIPE, SIG_DFL);
}

bool StopSignals::was_typed() {
  return first_was_typed;
}

void StopSignals::end_now(int signo) {
  end_at_once(signo);
}

void StopSignals::keep_for_loop() {
  loop_will_run = true;
}

void StopSignals::hand_over(EventLoop& loop, const std::function<void(int signo)>& callback) {
  totals_ = loop.on_signal(SIGUSR1, [callback] { callback(SIGUSR1); });
  const auto tell = [callback] {
    if (first_signal != 0 && !taken.exchange(true)) callback(first_signal);
  };
  // Before what came after it.
  before_wait_ = loop.before_wait(tell);
  watch_ = loop.watch(arrived_.get(), Interest::read, [this, tell](Ready) {
    std::uint64_t count = 0;
    if (::read(arrived_.get(), &count, sizeof count) > 0) tell();
  });
  loop_reads_signals = true;
}

void end_by_signal(int signo) {
  ::signal(signo, SIG_DFL);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, signo);
  ::pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
  ::raise(signo);
  ::_exit(signal_exit_status(signo));
}

int write_and_close(int fd, std::string_view lines) {
  const FileDescriptor owned(fd > STDERR_FILENO ? fd : -1);
  return write_all(fd, lines);
}

void notify_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name has no NUL at its end
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
}

}  // namespace netkit
