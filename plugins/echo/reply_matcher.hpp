// Which message a reply answers, for `echo send`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace netkit::echo {

// Datagrams: one message is out at a time; those before it were answered or are overdue. A reply
// tells which one it belongs to only by its bytes. Pure. [one thread]
class ReplyMatcher {
 public:
  enum class Match : std::uint8_t {
    current,  // the message that is out
    late,     // an overdue one before it, which is then no longer waited for
    none,     // nothing is out, and it belongs to no overdue one
  };

  void on_sent(std::string_view message);
  void on_overdue();  // the message that is out counts as unanswered from now on
  // A server may answer with the message itself or with a text before or after it; what fits
  // neither the current nor an overdue message is the current one's answer, since nothing says
  // otherwise.
  Match on_reply(std::string_view reply);
  bool waiting() const { return waiting_; }

 private:
  static constexpr std::size_t kOverdue = 64;  // messages remembered, and none larger than this:
  static constexpr std::size_t kOverdueSize = 65'536;
  bool answers_overdue(std::string_view reply, bool exactly);

  std::string current_;
  bool waiting_ = false;
  std::deque<std::string> overdue_;
};

// A stream: replies are as many bytes as were sent, in order, so bytes of overdue replies come
// first and are passed over. Pure. [one thread]
class ReplyCounter {
 public:
  void on_sent(std::size_t bytes);  // bytes > 0
  void on_overdue();
  // Takes from the front of `data` what belongs to the message that is out and returns it; passes
  // over what is overdue. Bytes after the reply stay in `data`: they were never asked for.
  std::string_view take(std::string_view& data);
  bool waiting() const { return due_ > 0; }

 private:
  std::uint64_t overdue_ = 0;
  std::uint64_t due_ = 0;
};

}  // namespace netkit::echo
