#include <algorithm>
#include <echo/reply_matcher.hpp>
#include <utility>

namespace netkit::echo {

void ReplyMatcher::on_sent(std::string_view message) {
  current_ = message;
  waiting_ = true;
}

void ReplyMatcher::on_overdue() {
  waiting_ = false;
  // An empty message is part of every reply, so nothing can be told by it.
  if (current_.empty() || current_.size() > kOverdueSize) return;
  if (overdue_.size() == kOverdue) overdue_.pop_front();
  overdue_.push_back(std::move(current_));
}

bool ReplyMatcher::answers_overdue(std::string_view reply, bool exactly) {
  const auto found = std::find_if(overdue_.begin(), overdue_.end(), [&](const std::string& text) {
    return exactly ? reply == text : reply.starts_with(text) || reply.ends_with(text);
  });
  if (found == overdue_.end()) return false;
  overdue_.erase(found);
  return true;
}

ReplyMatcher::Match ReplyMatcher::on_reply(std::string_view reply) {
  if (waiting_ && reply == current_) {
    waiting_ = false;
    return Match::current;
  }
  if (answers_overdue(reply, true)) return Match::late;
  const bool holds_current =
      waiting_ && !current_.empty() && reply.find(current_) != std::string_view::npos;
  if (!holds_current && answers_overdue(reply, false)) return Match::late;
  if (!waiting_) return Match::none;
  waiting_ = false;
  return Match::current;
}

void ReplyCounter::on_sent(std::size_t bytes) {
  due_ = bytes;
}

void ReplyCounter::on_overdue() {
  overdue_ += due_;
  due_ = 0;
}

std::string_view ReplyCounter::take(std::string_view& data) {
  const auto skipped = std::min<std::uint64_t>(overdue_, data.size());
  overdue_ -= skipped;
  data.remove_prefix(skipped);
  const auto taken = std::min<std::uint64_t>(due_, data.size());
  due_ -= taken;
  const std::string_view reply = data.substr(0, taken);
  data.remove_prefix(taken);
  return reply;
}

}  // namespace netkit::echo
