#include "plugin/stop_signals.hpp"

#include "util/blocking_call.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <unistd.h>

#include <netkit/util/exit_status.hpp>

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

}  // namespace netkit
