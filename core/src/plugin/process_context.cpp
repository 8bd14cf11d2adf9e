#include "plugin/process_context.hpp"

#include "util/blocking_call.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1};

// A signal handler has nothing but static storage to look at.
std::atomic<bool> loop_reads_signals = false;
std::atomic<bool> loop_will_run = false;
std::atomic<int> kept_for_loop = 0;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
pthread_t loop_thread;

extern "C" void on_signal_outside_the_loop(int signo) {
  if (loop_reads_signals) {
    pthread_kill(loop_thread, signo);
    return;
  }
  if (signo == SIGUSR1) return;
  const bool keeps = loop_will_run && !BlockingCall::under_way();
  if (!keeps || kept_for_loop.exchange(signo) != 0) end_by_signal(signo);
}

void set_action(int signo, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
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

StopSignals::StopSignals() {
  loop_thread = pthread_self();
  loop_reads_signals = false;
  loop_will_run = false;
  kept_for_loop = 0;
  set_action(SIGPIPE, SIG_IGN);
  for (const int signo : kSignals) set_action(signo, on_signal_outside_the_loop);
}

StopSignals::~StopSignals() {
  loop_reads_signals = false;
  hooks_.clear();
  for (const int signo : kSignals) set_action(signo, SIG_DFL);
  set_action(SIGPIPE, SIG_DFL);
}

void StopSignals::keep_for_loop() {
  loop_will_run = true;
}

void StopSignals::hand_over(EventLoop& loop, const std::function<void(int signo)>& callback) {
  for (const int signo : kSignals) {
    hooks_.push_back(loop.on_signal(signo, [callback, signo] { callback(signo); }));
  }
  loop_reads_signals = true;
  if (const int signo = kept_for_loop.exchange(0); signo != 0) ::raise(signo);
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
  const FileDescriptor owned(fd);
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
