// The decisions of a room's operators: who is banned, who is muted until when, and the topic.
// Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>

namespace netkit::chat {

// Decisions apply to identities of keys, so they outlive sessions and addresses.
class Moderation {
 public:
  using Names = std::set<std::string, std::less<>>;
  explicit Moderation(Names operators) : operators_(std::move(operators)) {}

  bool is_operator(std::string_view name) const { return operators_.contains(name); }

  void ban(std::string_view name) { banned_.emplace(name); }
  bool is_banned(std::string_view name) const { return banned_.contains(name); }

  // `until` in the past unmutes.
  void mute(std::string_view name, TimePoint until) { muted_[std::string(name)] = until; }
  bool is_muted(std::string_view name, TimePoint now) {
    const auto found = muted_.find(name);
    if (found == muted_.end()) return false;
    if (now < found->second) return true;
    muted_.erase(found);
    return false;
  }

  void set_topic(std::string_view topic, std::string_view by) {
    topic_ = topic;
    topic_by_ = by;
  }
  const std::string& topic() const { return topic_; }  // empty: none
  const std::string& topic_by() const { return topic_by_; }

 private:
  Names operators_;
  Names banned_;
  std::map<std::string, TimePoint, std::less<>> muted_;
  std::string topic_;
  std::string topic_by_;
};

}  // namespace netkit::chat
