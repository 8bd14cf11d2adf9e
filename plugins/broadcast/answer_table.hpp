// Who has answered a broadcast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include <netkit/net/endpoint.hpp>

namespace netkit::broadcast {

// Pure: counts each responder once per message, however often and by however many ways its answers
// come. Bounded: responders over the limit are counted as overflow and not remembered.
class AnswerTable {
 public:
  explicit AnswerTable(std::size_t limit) : limit_(limit) {}

  enum class Verdict : std::uint8_t { first, duplicate, overflow };
  Verdict on_answer(const Endpoint& responder);
  // A new message: everybody may answer again.
  void next_message() { responders_.clear(); }

  std::uint64_t answers() const { return answers_; }  // of all messages
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t overflow() const { return overflow_; }

 private:
  std::size_t limit_;
  std::unordered_set<Endpoint> responders_;
  std::uint64_t answers_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t overflow_ = 0;
};

}  // namespace netkit::broadcast
