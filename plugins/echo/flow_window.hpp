// The messages of one flow of a load test that are in flight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <netkit/util/clock.hpp>

namespace netkit::echo {

// Messages are numbered from 0 in the order they are sent; each is due a reply within a time that
// the caller keeps (expire). `since` is what a latency is counted from: when the message was sent,
// or, at a fixed rate, when it should have been, so that a message that the server's own delay held
// up counts that delay as well (no coordinated omission). Pure. [one thread]
class FlowWindow {
 public:
  // Knows `capacity` messages at once; a power of two.
  explicit FlowWindow(std::size_t capacity) : messages_(capacity) {}

  struct Sent {
    std::uint32_t number;
    bool overwrote = false;  // the oldest message had no reply yet and counts as lost
  };
  Sent send(TimePoint since);

  struct Reply {
    enum class Kind : std::uint8_t { reply, duplicate, late } kind;  // late: was lost already
    Duration latency{};
  };
  Reply on_reply(std::uint32_t number, TimePoint now);
  // The oldest message without a reply: what the next bytes of a stream answer.
  std::optional<std::uint32_t> oldest() const;

  // Gives up what has waited since `before` or earlier; returns how many are lost by that.
  std::size_t expire(TimePoint before);
  // Gives up everything.
  std::size_t expire_all() { return expire(TimePoint::max()); }

  std::size_t outstanding() const { return outstanding_; }
  std::size_t capacity() const { return messages_.size(); }

 private:
  enum class State : std::uint8_t { lost, waiting, answered };
  struct Message {
    TimePoint since{};
    std::uint32_t number = 0;
    State state = State::lost;
  };
  Message& at(std::uint32_t number) { return messages_[number & (messages_.size() - 1)]; }
  void advance();

  std::vector<Message> messages_;
  std::uint32_t next_ = 0;
  std::uint32_t oldest_ = 0;  // nothing before it waits
  std::size_t outstanding_ = 0;
};

// When messages are to be sent at a fixed rate. Pure. [one thread]
class SendSchedule {
 public:
  // `per_second` > 0. A schedule never catches up more than `max_late` behind: what would have been
  // due before that is counted as skipped.
  SendSchedule(double per_second, TimePoint start, Duration max_late = std::chrono::seconds(1));
  // When the next message is due.
  TimePoint next() const;
  // Takes the next message's due time when it is `now` or before.
  std::optional<TimePoint> take(TimePoint now);
  // What is due before `time` and was not taken is skipped.
  void skip_until(TimePoint time);
  std::uint64_t skipped() const { return skipped_; }

 private:
  TimePoint due(std::uint64_t index) const;
  double per_second_;
  TimePoint start_;
  Duration max_late_;
  std::uint64_t index_ = 0;
  std::uint64_t skipped_ = 0;
};

}  // namespace netkit::echo
