#include "io/terminal.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cwchar>
#include <cwctype>
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
  restore_terminal_modes();
  ::signal(signo, SIG_DFL);
  ::raise(signo);
}

int width_of(wchar_t c, int column) {
  if (c == L'\t') return 8 - column % 8;
  if (std::iswcntrl(static_cast<std::wint_t>(c)) != 0) return 2;
  const int width = ::wcwidth(c);
  return width < 0 ? 1 : width;
}

}  // namespace

TerminalGuard::TerminalGuard() {
  if (::tcgetattr(STDIN_FILENO, &saved_modes) != 0) return;
  interrupt_key = saved_modes.c_cc[VINTR];
  modes_saved = true;
  struct sigaction action = {};
  action.sa_handler = restore_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < kFatal.size(); ++i) {
    ::sigaction(kFatal[i], nullptr, &old_actions[i]);
    if (old_actions[i].sa_handler != SIG_IGN) ::sigaction(kFatal[i], &action, nullptr);
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

void restore_terminal_modes() {
  if (modes_saved) ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_modes);
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

int wrapped_rows(std::string_view text, int columns) {
  int row = 0;
  int column = 0;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t c = L'?';
    std::size_t size = std::mbrtowc(&c, text.data(), text.size(), &state);
    if (size == 0 || size > text.size()) {  // a zero, or no character of the locale
      size = 1;
      state = {};
    }
    text.remove_prefix(size);
    const int width = width_of(c, column);
    if (column + width > columns) {
      ++row;
      column = 0;
    }
    column += width;
  }
  return column == columns ? row + 1 : row;
}

}  // namespace netkit
