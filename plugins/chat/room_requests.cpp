// Requests of members, and those of operators.
#include <chat/room.hpp>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <netkit/util/text.hpp>

namespace netkit::chat {

void Room::leave(Slot slot, LeaveReason reason) {
  remove(slot, reason);
}

void Room::on_request(Slot slot, const std::optional<Request>& request, TimePoint now,
                      WallTime wall) {
  Member& member = members_[slot];
  ++member.taken;
  if (!within_rate(member, now, request ? cost_of(*request) : 1)) {
    if (member.pace->refusals.take(now)) refuse(slot, "too many messages (--rate)");
    return;
  }
  if (!request) return refuse(slot, "not understood");
  carry_out(slot, *request, now, wall);
}

// The count is the peer's word: it is added, never run over.
void Room::on_lost(Slot slot, std::uint64_t count) {
  members_[slot].taken += count;
  refuse(slot, "not understood");
}

void Room::carry_out(Slot slot, const Request& request, TimePoint now, WallTime wall) {
  if (moderate(slot, request, now)) return;
  if (const Say* say = std::get_if<Say>(&request)) {
    if (say->text.size() > kMaxText) return refuse(slot, "longer than 65000 bytes");
    publish(members_[slot], say->text, say->action ? Message::kAction : std::uint8_t{0}, wall);
  } else if (const Tell* tell = std::get_if<Tell>(&request)) {
    tell_private(slot, tell->text, wall);
  } else if (const Rename* renaming = std::get_if<Rename>(&request)) {
    Entry::Refusal refusal = Entry::Refusal::none;
    const std::string why = why_refused(renaming->name, slot, refusal);
    if (!why.empty()) return refuse(slot, why);
    if (members_[slot].proved) return refuse(slot, "the key determines the name");
    rename(slot, renaming->name);
  } else if (std::holds_alternative<Who>(request)) {
    if (!handler_.holds_who(members_[slot].instance)) list(slot, {});
  } else if (!handler_.holds_sync(members_[slot].instance)) {
    answer_sync(members_[slot].instance);
  }
}

// ---- what operators may

// True if it was an operator's request, or the member is muted; then it has been answered.
bool Room::moderate(Slot slot, const Request& request, TimePoint now) {
  const Member& member = members_[slot];
  const bool speaks = std::holds_alternative<Say>(request) || std::holds_alternative<Tell>(request);
  if (speaks && member.proved && moderation_.is_muted(member.name, now)) {
    refuse(slot, "an operator has muted you");
    return true;
  }
  const Kick* const kick = std::get_if<Kick>(&request);
  const Ban* const ban = std::get_if<Ban>(&request);
  const Mute* const mute = std::get_if<Mute>(&request);
  const SetTopic* const topic = std::get_if<SetTopic>(&request);
  if (kick == nullptr && ban == nullptr && mute == nullptr && topic == nullptr) return false;
  if (!member.proved || !moderation_.is_operator(member.name)) {
    refuse(slot, "only operators may do that (--operators)");
  } else if (kick != nullptr) {
    moderate(slot, *kick);
  } else if (ban != nullptr) {
    moderate(slot, *ban);
  } else if (mute != nullptr) {
    moderate(slot, *mute, now);
  } else {
    moderate(slot, *topic);
  }
  return true;
}

void Room::moderate(Slot slot, const Kick& kick) {
  const Slot target = find(kick.name);
  if (target == kNoSlot) return refuse(slot, fmt::format("there is no '{}' here", kick.name));
  put_out(target, LeaveReason::kicked);
}

// By identity, so that the member cannot come back, and need not be here.
void Room::moderate(Slot slot, const Ban& ban) {
  const Slot target = find(ban.name);
  if (target != kNoSlot && !members_[target].proved) {
    return refuse(slot, fmt::format("'{}' has no key to ban; use /kick", ban.name));
  }
  moderation_.ban(ban.name);
  if (target != kNoSlot) put_out(target, LeaveReason::banned);
}

void Room::moderate(Slot slot, const Mute& mute, TimePoint now) {
  const Slot target = find(mute.name);
  if (target != kNoSlot && !members_[target].proved) {
    return refuse(slot, fmt::format("'{}' has no key to mute; use /kick", mute.name));
  }
  const Duration span = std::chrono::seconds(mute.seconds);
  moderation_.mute(mute.name,
                   mute.seconds == Mute::kForever ? TimePoint::max() : saturating_add(now, span));
}

void Room::moderate(Slot slot, const SetTopic& topic) {
  const Member& member = members_[slot];
  moderation_.set_topic(topic.text, member.name);
  const chat::Topic news{member.id, member.name, moderation_.topic()};
  handler_.notify(news);
  handler_.on_event(news, 0, member.path.peer);
}

void Room::put_out(Slot slot, LeaveReason reason) {
  if (!members_[slot].plain) handler_.on_put_out(slot, reason);
  remove(slot, reason);
}

void Room::refuse(Slot slot, std::string_view why) {
  const FromRoom refused = Refused{members_[slot].taken, why};
  handler_.tell(slot, {&refused, 1});
}

void Room::rename(Slot slot, std::string_view name) {
  Member& member = members_[slot];
  if (member.name == name) return;
  by_name_.erase(member.name);
  const std::string before = std::exchange(member.name, std::string(name));
  by_name_.emplace(member.name, slot);
  handler_.on_name_free(before, true);
  handler_.on_name_taken(member.name, member.instance, member.proved);
  const Renamed renamed{member.id, before, member.name};
  handler_.notify(renamed);
  handler_.on_event(renamed, 0, member.path.peer);
}

void Room::answer_who(std::uint64_t instance, std::span<const std::string> elsewhere) {
  const auto found = by_instance_.find(instance);
  if (found != by_instance_.end()) list(found->second, elsewhere);
}

void Room::list(Slot slot, std::span<const std::string> elsewhere) {
  std::vector<std::string_view> names;
  names.reserve(by_name_.size() + elsewhere.size());
  for (const auto& [name, member] : by_name_) names.push_back(name);
  for (const std::string& name : elsewhere) {
    if (why_not_a_name(name).empty() && !by_name_.contains(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  std::vector<FromRoom> roster;
  roster.reserve(names.size() + 1);
  for (const std::string_view name : names) roster.emplace_back(Present{name});
  roster.emplace_back(Present{});
  handler_.tell(slot, roster);
}

}  // namespace netkit::chat
