#include "io/terminal_guard.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <termios.h>
#include <unistd.h>

namespace netkit {
namespace {

constexpr std::array<int, 7> kFatal = {SIGQUIT, SIGHUP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// A signal handler has nothing but static storage to look at.
std::atomic<bool> modes_saved = false;
termios saved_modes;
cc_t interrupt_key = 3;
std::array<struct sigaction, kFatal.size()> old_actions;

extern "C" void restore_and_die(int signo) {
  if (modes_saved) ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_modes);
  ::signal(signo, SIG_DFL);
  ::raise(signo);
}

}  // namespace

TerminalGuard::TerminalGuard() {
  if (::tcgetattr(STDIN_FILENO, &saved_modes) != 0) return;
  interrupt_key = saved_modes.c_cc[VINTR];
  modes_saved = true;
  struct sigaction action {};
  action.sa_handler = restore_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < kFatal.size(); ++i) {
    ::sigaction(kFatal[i], &action, &old_actions[i]);
  }
}

TerminalGuard::~TerminalGuard() {
  if (!modes_saved) return;
  restore();
  modes_saved = false;
  for (std::size_t i = 0; i < kFatal.size(); ++i) {
    ::sigaction(kFatal[i], &old_actions[i], nullptr);
  }
}

void TerminalGuard::restore() const {
  if (modes_saved) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_modes);
}

void read_interrupt_key(bool as_byte) {
  termios modes{};
  if (::tcgetattr(STDIN_FILENO, &modes) != 0) return;
  modes.c_cc[VINTR] = as_byte ? cc_t{_POSIX_VDISABLE} : interrupt_key;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

bool reads_whole_lines() {
  termios modes{};
  return ::tcgetattr(STDIN_FILENO, &modes) == 0 && (modes.c_lflag & tcflag_t{ICANON}) != 0;
}

}  // namespace netkit
