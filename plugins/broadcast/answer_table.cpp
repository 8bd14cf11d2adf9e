#include <broadcast/answer_table.hpp>

namespace netkit::broadcast {

AnswerTable::Verdict AnswerTable::on_answer(const Endpoint& responder) {
  if (responders_.contains(responder)) {
    ++duplicates_;
    return Verdict::duplicate;
  }
  if (responders_.size() >= limit_) {
    ++overflow_;
    return Verdict::overflow;
  }
  responders_.insert(responder);
  ++answers_;
  return Verdict::first;
}

}  // namespace netkit::broadcast
