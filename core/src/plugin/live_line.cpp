#include "plugin/live_line.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <unistd.h>
#include <utility>

#include <netkit/util/file.hpp>
#include <netkit/util/terminal.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr Duration kFirst = std::chrono::milliseconds(250);
constexpr Duration kPeriod = std::chrono::seconds(1);
constexpr std::string_view kErase = "\r\x1b[K";

// With room for the ^C that a terminal shows behind it: in a line of its own, that would leave this
// one where it is.
std::size_t width_of(int fd) {
  constexpr std::size_t kUsual = 80;
  constexpr std::size_t kKey = 2;
  return std::max<std::size_t>(terminal_columns(fd).value_or(kUsual), kKey + 2) - kKey - 1;
}

// As many whole items of `received 3, sent 12` as there is room for: a piece of a number is a wrong
// number.
std::string cut_to(std::string line, std::size_t width) {
  if (line.size() <= width) return line;
  const std::size_t comma = line.rfind(", ", width);
  line.resize(comma == line.npos ? width : comma);
  return line;
}

// The descriptor that a line is shown on; -1: none is. A signal handler has nothing but static
// storage to look at.
std::atomic<int> shown_on = -1;

extern "C" void on_suspension(int signo) {
  const int error = errno;
  LiveLine::erase_at_once();
  ::raise(signo);  // which has its default action again, once this has returned
  errno = error;
}

// Not where a parent without job control has it ignored.
void watch_for_suspension() {
  struct sigaction action {};
  ::sigaction(SIGTSTP, nullptr, &action);
  if (action.sa_handler != SIG_DFL) return;
  action.sa_handler = on_suspension;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  ::sigaction(SIGTSTP, &action, nullptr);
}

void forget_suspension() {
  struct sigaction action {};
  ::sigaction(SIGTSTP, nullptr, &action);
  if (action.sa_handler == on_suspension) ::signal(SIGTSTP, SIG_DFL);
}

}  // namespace

LiveLine::LiveLine(EventLoop& loop, Log& log, int fd, std::function<std::string()> text)
    : loop_(loop), log_(log), fd_(fd), text_(std::move(text)), next_(loop.now() + kFirst) {
  hook_ = loop_.before_wait([this] { turn(); });
  // Other threads may log: they put their line in front of this one, which the next turn redraws.
  log_.redirect([this](std::string_view line) {
    put(std::string(is_visible() && is_foreground() ? kErase : "").append(line));
    set_visible(false);
  });
}

LiveLine::~LiveLine() {
  log_.redirect({});
  erase();
  forget_suspension();
}

bool LiveLine::is_foreground() const {
  return ::tcgetpgrp(fd_) == ::getpgrp();
}

void LiveLine::put(std::string_view bytes) const {
  static_cast<void>(write_all(fd_, bytes));
}

void LiveLine::erase() {
  // A job that has been put into the background leaves the shell's line alone.
  if (is_visible() && is_foreground()) put(kErase);
  set_visible(false);
}

void LiveLine::erase_at_once() {
  const int fd = shown_on.exchange(-1);
  if (fd >= 0) static_cast<void>(write_all(fd, kErase));
}

// While it is shown, Ctrl-Z erases it first.
void LiveLine::set_visible(bool visible) const {
  shown_on = visible ? fd_ : -1;
  if (visible) watch_for_suspension();
}

bool LiveLine::is_visible() const {
  return shown_on == fd_;
}

void LiveLine::turn() {
  if (loop_.now() >= next_) {
    show();
  } else if (!last_state_.pending()) {
    // The timer makes a turn, and that turn shows it.
    last_state_ = loop_.at(next_, [] {});
  }
}

void LiveLine::show() {
  next_ = loop_.now() + kPeriod;
  if (!is_foreground()) return set_visible(false);
  std::string line = cut_to(escaped_text(text_()), width_of(fd_));
  if (line.empty() || (is_visible() && line == shown_)) return;
  shown_ = std::move(line);
  // Ctrl-Z may come before put() returns: then what it has left is shown again.
  do {
    set_visible(true);
    put(std::string(kErase) + shown_);
  } while (!is_visible() && is_foreground());
}

}  // namespace netkit
