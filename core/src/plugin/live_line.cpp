#include "plugin/live_line.hpp"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr Duration kFirst = std::chrono::milliseconds(250);
constexpr Duration kPeriod = std::chrono::seconds(1);
constexpr std::string_view kErase = "\r\x1b[K";

std::size_t width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return 79;
  return size.ws_col - 1U;
}

// The descriptor that a line is shown on; -1: none is. A signal handler has nothing but static
// storage to look at.
std::atomic<int> shown_on = -1;

}  // namespace

LiveLine::LiveLine(EventLoop& loop, Log& log, int fd, std::function<std::string()> text)
    : loop_(loop), log_(log), fd_(fd), text_(std::move(text)), next_(loop.now() + kFirst) {
  hook_ = loop_.before_wait([this] { turn(); });
  // Other threads may log: they put their line in front of this one, which the next turn redraws.
  log_.redirect([this](std::string_view line) {
    put(std::string(visible_ && is_foreground() ? kErase : "").append(line));
    set_visible(false);
  });
}

LiveLine::~LiveLine() {
  log_.redirect({});
  erase();
}

bool LiveLine::is_foreground() const {
  return ::tcgetpgrp(fd_) == ::getpgrp();
}

void LiveLine::put(std::string_view bytes) const {
  static_cast<void>(write_all(fd_, bytes));
}

void LiveLine::erase() {
  // A job that has been put into the background leaves the shell's line alone.
  if (visible_ && is_foreground()) put(kErase);
  set_visible(false);
}

void LiveLine::erase_at_once() {
  if (shown_on >= 0) static_cast<void>(write_all(shown_on, kErase));
}

void LiveLine::set_visible(bool visible) {
  visible_ = visible;
  shown_on = visible ? fd_ : -1;
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
  std::string line = escaped_text(text_());
  line.resize(std::min(line.size(), width_of(fd_)));
  if (line.empty() || (visible_ && line == shown_)) return;
  shown_ = std::move(line);
  put(std::string(kErase) + shown_);
  set_visible(true);
}

}  // namespace netkit
