// The live line on a terminal: the totals, rewritten in place on standard error.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// [loop] At most once a second, only while this is the terminal's foreground job, and only in turns
// that something else caused (or to show their last state), so that an idle program makes no
// wake-ups. Other lines are printed above it, and Ctrl-Z leaves nothing of it. One at a time in a
// process.
class NETKIT_API LiveLine {
 public:
  // `text` gives what is to be shown; empty: nothing yet. `fd` is the terminal.
  LiveLine(EventLoop& loop, Log& log, int fd, std::function<std::string()> text);
  ~LiveLine();  // erases the line
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  void erase();  // until the next turn; call it before writing to the terminal
  bool is_visible() const;
  // The same for whichever there is, from a signal handler that ends or suspends the process.
  static void erase_at_once();

 private:
  void turn();
  void show();
  void put(std::string_view bytes) const;
  void set_visible(bool visible) const;
  bool is_foreground() const;

  EventLoop& loop_;
  Log& log_;
  int fd_;
  std::function<std::string()> text_;
  std::string shown_;
  TimePoint next_;
  Hook hook_;
  Timer last_state_;
};

}  // namespace netkit
