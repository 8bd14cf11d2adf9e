// Who has answered a broadcast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::broadcast {

// Pure: counts each responder once per message, however often and on however many interfaces its
// answers arrive. Nothing in an answer says which message it answers, so if several messages are
// sent before the answers arrive, a responder may answer each of them. Bounded: responders over the
// limit are counted as overflow and not remembered.
class AnswerTable {
 public:
  // An answer may come until `wait` after its message.
  AnswerTable(std::size_t limit, Duration wait);

  enum class Verdict : std::uint8_t { first, duplicate, overflow };
  Verdict on_answer(const Endpoint& responder);
  // A new message: everybody may answer again.
  void next_message(TimePoint now);
  // Answers to the messages so far are no longer accepted.
  void close_messages();

  std::uint64_t answers() const { return answers_; }  // of all messages
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t overflow() const { return overflow_; }

 private:
  // Messages that were sent within one `wait`.
  struct Round {
    std::uint64_t messages = 0;
    std::unordered_map<Endpoint, std::uint64_t> answers;
  };

  std::size_t limit_;
  Duration wait_;
  Round current_;
  Round previous_;  // whose last answers are still in flight
  TimePoint round_began_{};
  TimePoint last_message_{};
  std::uint64_t answers_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t overflow_ = 0;
};

}  // namespace netkit::broadcast
