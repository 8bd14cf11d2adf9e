#include <algorithm>
#include <broadcast/answer_table.hpp>
#include <utility>

namespace netkit::broadcast {

namespace {

using namespace std::chrono_literals;

// Responders that late are not remembered, however long the run waits.
constexpr Duration kLongest = 10s;

}  // namespace

AnswerTable::AnswerTable(std::size_t limit, Duration wait)
    : limit_(limit), wait_(std::min(wait, kLongest)) {}

void AnswerTable::next_message(TimePoint now) {
  if (now - last_message_ >= wait_) close_messages();
  if (current_.messages == 0) {
    round_began_ = now;
  } else if (now - round_began_ >= wait_) {
    previous_ = std::exchange(current_, {});
    round_began_ = now;
  }
  last_message_ = now;
  ++current_.messages;
}

void AnswerTable::close_messages() {
  current_ = {};
  previous_ = {};
}

AnswerTable::Verdict AnswerTable::on_answer(const Endpoint& responder) {
  for (Round* round : {&current_, &previous_}) {
    const auto known = round->answers.find(responder);
    if (known == round->answers.end()) {
      if (round->messages == 0) continue;
      if (round->answers.size() >= limit_) {
        ++overflow_;
        return Verdict::overflow;
      }
      round->answers.emplace(responder, 1);
    } else {
      if (known->second >= round->messages) continue;
      ++known->second;
    }
    ++answers_;
    return Verdict::first;
  }
  ++duplicates_;
  return Verdict::duplicate;
}

}  // namespace netkit::broadcast
