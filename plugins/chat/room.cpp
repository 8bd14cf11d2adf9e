#include <algorithm>
#include <array>
#include <chat/addressee.hpp>
#include <chat/room.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/record/record.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

// A native member that was disconnected sends everything it has queued at once, so its limit looks
// further back than the others'; the member observes it itself (Welcome::rate).
constexpr double kNativeBurst = 30;
constexpr double kNamesPerRequest = 8;  // that cost as much as a request
// Answers to one member for requests above its rate; further ones are dropped without an answer.
constexpr double kRefusalsPerSecond = 10;
constexpr double kRefusalsAtOnce = 100;

}  // namespace

Room::Room(const Options& options, Handler& handler)
    : options_(options),
      handler_(handler),
      shares_(options.max_members),
      moderation_(options.operators) {}

// ---- who is there

Slot Room::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? kNoSlot : found->second;
}

Slot Room::add(std::string name, const datagram::Path& path, TimePoint now) {
  Slot slot = static_cast<Slot>(members_.size());
  if (free_.empty()) {
    if (members_.size() == members_.capacity()) {
      // The names move with the members, and the views of them with the names.
      by_name_.clear();
      members_.reserve(std::max<std::size_t>(16, members_.size() * 2));
      for (Slot i = 0; i < members_.size(); ++i) {
        if (!members_[i].name.empty()) by_name_.emplace(members_[i].name, i);
      }
    }
    members_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Member& member = members_[slot];
  member.name = std::move(name);
  member.path = path;
  member.heard = now;
  by_name_.emplace(member.name, slot);
  return slot;
}

void Room::remove(Slot slot, LeaveReason reason) {
  Member& member = members_[slot];
  ++counters_.left;
  shares_.give_back(member.path.peer.address());
  const Left left{member.id, reason, member.name};
  if (member.plain) {
    handler_.on_plain_change();
    unlink(slot);
    by_endpoint_.erase(member.path.peer);
  } else {
    by_instance_.erase(member.instance);
    remember(member);
    handler_.on_name_free(member.name, reason == LeaveReason::quit);
  }
  handler_.notify(left);
  handler_.on_event(left, 0, member.path.peer);
  by_name_.erase(member.name);
  member = Member();
  free_.push_back(slot);
}

void Room::displace(Slot slot) {
  handler_.on_displaced(slot);
  remove(slot, LeaveReason::quit);
}

void Room::remember(const Member& member) {
  if (options_.remember == 0) return;
  if (past_.insert_or_assign(member.instance, Past{member.id, member.taken}).second) {
    past_order_.push_back(member.instance);
  }
  while (past_order_.size() > options_.remember) {
    past_.erase(past_order_.front());
    past_order_.pop_front();
  }
}

void Room::link(Slot slot) {
  Member& member = members_[slot];
  member.previous = newest_;
  member.next = kNoSlot;
  (newest_ == kNoSlot ? oldest_ : members_[newest_].next) = slot;
  newest_ = slot;
}

void Room::unlink(Slot slot) {
  const Member& member = members_[slot];
  (member.previous == kNoSlot ? oldest_ : members_[member.previous].next) = member.next;
  (member.next == kNoSlot ? newest_ : members_[member.next].previous) = member.previous;
}

bool Room::within_rate(Member& member, TimePoint now, double cost) {
  if (options_.rate <= 0) return true;
  if (!member.pace) {
    const double burst = options_.rate * (member.plain ? 1 : kNativeBurst);
    member.pace = std::make_unique<Pace>(
        Pace{{options_.rate, burst, now}, {kRefusalsPerSecond, kRefusalsAtOnce, now}});
  }
  if (member.pace->requests.take(now, cost)) return true;
  ++counters_.dropped_rate;
  return false;
}

// A list of all costs what there is to sort and to send, up to what may be asked after some rest.
double Room::cost_of(const Request& request) const {
  if (!std::holds_alternative<Who>(request)) return 1;
  const double names = static_cast<double>(members()) / kNamesPerRequest;
  return std::clamp(names, 1.0, std::max(1.0, options_.rate * kNativeBurst / 4));
}

// ---- plain members

Slot Room::join_plain(const datagram::Path& from, TimePoint now) {
  if (members() >= options_.max_members) {
    ++counters_.dropped_full;
    return kNoSlot;
  }
  if (!shares_.take(from.peer.address())) {
    ++counters_.refused_share;
    return kNoSlot;
  }
  handler_.on_plain_change();
  const Slot slot = add(from.peer.to_string(), from, now);
  Member& member = members_[slot];
  member.plain = true;
  member.id = new_id(0);
  by_endpoint_.emplace(from.peer, slot);
  link(slot);
  ++counters_.joined;
  const Joined joined{member.id, member.name};
  handler_.notify(joined);
  handler_.on_event(joined, 0, from.peer);
  return slot;
}

void Room::on_plain(const datagram::Path& from, std::string_view datagram, bool allowed,
                    TimePoint now, WallTime wall) {
  const std::string_view text = trim_white_space(datagram);
  const auto found = by_endpoint_.find(from.peer);
  Slot slot = found == by_endpoint_.end() ? kNoSlot : found->second;
  if (from.peer.port() == 0) {
    ++counters_.ignored;
    return;
  }
  if (text.empty() || (text == "quit" && slot == kNoSlot)) {
    ++counters_.ignored;
    if (slot == kNoSlot) return;
  }
  if (text == "quit") return remove(slot, LeaveReason::quit);
  if (slot == kNoSlot) {
    if (!allowed) {
      ++counters_.refused_plain;
      return;
    }
    slot = join_plain(from, now);
    if (slot == kNoSlot) return;
  }
  members_[slot].heard = now;
  unlink(slot);
  link(slot);
  if (text.empty() || text == "reg" || text == "^hb^") return;
  if (text.size() > kMaxText) {
    ++counters_.dropped_long;
  } else if (within_rate(members_[slot], now)) {
    publish(members_[slot], text, 0, wall);
  }
}

void Room::tick(TimePoint now) {
  while (oldest_ != kNoSlot && saturating_add(members_[oldest_].heard, options_.lease) <= now) {
    ++counters_.expired;
    remove(oldest_, LeaveReason::lease);
  }
}

TimePoint Room::next_deadline() const {
  if (oldest_ == kNoSlot) return TimePoint::max();
  return saturating_add(members_[oldest_].heard, options_.lease);
}

void Room::close() {
  handler_.say_plain("end");
}

// ---- native members

std::string Room::why_refused(std::string_view name, Slot asking, Entry::Refusal& refusal) const {
  const std::string_view why = why_not_a_name(name);
  if (!why.empty()) {
    refusal = Entry::Refusal::bad_name;
    return fmt::format("the name {}", why);
  }
  const Slot holder = find(name);
  if (holder != kNoSlot && holder != asking) {
    refusal = Entry::Refusal::taken;
    return fmt::format("the name '{}' is taken", name);
  }
  return {};
}

Room::Entry Room::join(const Hello& hello, const Endpoint& peer, TimePoint now, bool proved) {
  const auto same = by_instance_.find(hello.instance);
  const Slot old = same == by_instance_.end() ? kNoSlot : same->second;
  const Slot former = proved && old == kNoSlot ? find(hello.name) : kNoSlot;
  Entry entry;
  entry.why = why_refused(hello.name, former == kNoSlot ? old : former, entry.refusal);
  if (!entry.why.empty()) return entry;
  if (proved && moderation_.is_banned(hello.name)) {
    return {kNoSlot, 0, 0, Entry::Refusal::banned, "banned by an operator"};
  }
  const bool moves = old == kNoSlot || members_[old].path.peer.address() != peer.address();
  if (moves && !shares_.take(peer.address())) {
    ++counters_.refused_share;
    entry.refusal = Entry::Refusal::full;
    entry.why = share_text(shares_.share(), options_.max_members, "--max-members");
    return entry;
  }
  if (old != kNoSlot) return replace(old, hello, peer);
  if (former != kNoSlot) displace(former);
  if (members() >= options_.max_members) {
    shares_.give_back(peer.address());
    ++counters_.dropped_full;
    entry.refusal = Entry::Refusal::full;
    entry.why = full_text(options_.max_members, "member", "--max-members");
    return entry;
  }
  entry.slot = add(std::string(hello.name), peer, now);
  Member& member = members_[entry.slot];
  member.proved = proved;
  member.instance = hello.instance;
  by_instance_.emplace(hello.instance, entry.slot);
  const auto past = past_.find(hello.instance);
  member.id = past == past_.end() ? new_id(hello.instance) : past->second.id;
  member.taken = std::max(hello.taken, past == past_.end() ? 0 : past->second.taken);
  entry.member = member.id;
  entry.taken = member.taken;
  ++counters_.joined;
  handler_.on_name_taken(member.name, member.instance, member.proved);
  const Joined joined{member.id, member.name};
  handler_.notify(joined);
  handler_.on_event(joined, 0, peer);
  return entry;
}

// The same at every server, so that a member that comes from another recognizes its messages.
std::uint32_t Room::new_id(std::uint64_t instance) {
  if (!options_.is_shared) return next_id_++;
  const auto folded = static_cast<std::uint32_t>(instance ^ instance >> 32U);
  return folded == 0 ? next_id_++ : folded;
}

void Room::note_taken(std::uint64_t instance, std::uint64_t taken) {
  const auto here = by_instance_.find(instance);
  if (here != by_instance_.end()) {
    Member& member = members_[here->second];
    member.taken = std::max(member.taken, taken);
    return;
  }
  const auto past = past_.find(instance);
  Member known;
  known.instance = instance;
  known.id = past == past_.end() ? new_id(instance) : past->second.id;
  known.taken = std::max(taken, past == past_.end() ? 0 : past->second.taken);
  remember(known);
}

std::string Room::give_other_name(const std::string& name) {
  const Slot slot = find(name);
  if (slot == kNoSlot || members_[slot].plain) return {};
  if (members_[slot].proved) {
    displace(slot);
    return {};
  }
  std::string other;
  for (int i = 2; other.empty() || find(other) != kNoSlot; ++i) {
    const std::string number = std::to_string(i);
    other = std::string(excerpt(name, kMaxName - number.size())) + number;
  }
  rename(slot, other);
  return other;
}

void Room::answer_sync(std::uint64_t instance) {
  const auto found = by_instance_.find(instance);
  if (found == by_instance_.end()) return;
  const FromRoom synced = Synced{};
  handler_.tell(found->second, {&synced, 1});
}

Room::Entry Room::replace(Slot slot, const Hello& hello, const Endpoint& peer) {
  handler_.on_replaced(slot);
  Member& member = members_[slot];
  const IpAddress before = member.path.peer.address();
  if (before != peer.address()) shares_.give_back(before);
  member.path = peer;
  member.taken = std::max(member.taken, hello.taken);
  if (member.name != hello.name) rename(slot, hello.name);
  return {slot, member.id, member.taken, Entry::Refusal::none, {}};
}

// The member has a place already, so its new address may have more than its share.
void Room::move(Slot slot, const Endpoint& peer) {
  datagram::Path& path = members_[slot].path;
  shares_.give_back(path.peer.address());
  shares_.add(peer.address());
  path = peer;
}

// ---- what is said

void Room::publish(const Member& from, std::string_view text, std::uint8_t flags, WallTime wall) {
  const Message message{flags, from.id, Message::time_of(wall), from.name, text};
  const Handler::Placing placing =
      handler_.place(message, from.path.peer, from.instance, from.plain ? 0 : from.taken);
  switch (placing.place) {
    case Handler::Place::here:
      ++counters_.messages;
      return deliver(message, from.path.peer, wall);
    case Handler::Place::store:
      ++counters_.messages;
      return;
    case Handler::Place::nowhere:
      ++counters_.messages;
      return deliver_unnumbered(message, from.path.peer, wall);
    case Handler::Place::refused:
      ++counters_.refused_store;
      if (!from.plain) refuse(by_instance_.at(from.instance), placing.why);
  }
}

void Room::deliver(const Message& message, const Endpoint& peer, WallTime wall) {
  handler_.on_event(message, next_seq_, peer);
  handler_.say(message);
  say_to_plain(message, next_seq_, peer, wall);
  ++next_seq_;
}

void Room::deliver_unnumbered(const Message& message, const Endpoint& peer, WallTime wall) {
  handler_.on_event(message, 0, peer);
  handler_.say_unnumbered(message);
  say_to_plain(message, 0, peer, wall);
}

void Room::refuse_stored(std::uint64_t instance, std::uint64_t request, std::string_view why) {
  ++counters_.refused_store;
  const auto found = by_instance_.find(instance);
  if (found == by_instance_.end()) return;
  const FromRoom refused = Refused{request, why};
  handler_.tell(found->second, {&refused, 1});
}

void Room::deliver_stored(const Message& message, std::uint64_t seq, bool heard,
                          const Endpoint& peer, WallTime wall) {
  handler_.say(message);
  if (heard) return;
  handler_.on_event(message, seq, peer);
  say_to_plain(message, seq, peer, wall);
}

void Room::say_to_plain(const Message& message, std::uint64_t seq, const Endpoint& peer,
                        WallTime wall) {
  if (plain_members() == 0) return;
  render_plain(message, seq, peer, wall);
  handler_.say_plain(rendered_);
}

void Room::render_plain(const Message& message, std::uint64_t seq, const Endpoint& peer,
                        WallTime wall) {
  std::string action;
  std::string_view text = trim_white_space(message.text);
  if ((message.flags & Message::kAction) != 0) {
    action = "* ";
    action += text;
    text = action;
  }
  std::array<Field, 2> fields{Field{"name", message.name}, Field{"seq", seq}};
  Record record{.type = "message", .time = wall, .peer = &peer, .fields = fields, .payload = text};
  if (seq == 0) record.fields = std::span(fields).first(1);
  rendered_.clear();
  options_.plain_template.render(record, rendered_, Escaping::none);
}

void Room::tell_private(Slot slot, std::string_view line, WallTime wall) {
  const Addressee to =
      addressee_of(line, [this](const std::string& name) { return find(name) != kNoSlot; });
  const Member& from = members_[slot];
  Message message{Message::kPrivate, from.id, Message::time_of(wall), from.name, {}};
  if (to.name.empty()) {
    if (!line.empty() && handler_.tells_elsewhere(line, message, from.instance, from.taken)) return;
    return refuse(slot, why_nobody(line));
  }
  if (to.text.size() > kMaxText) return refuse(slot, "longer than 65000 bytes");
  message.text = to.text;
  deliver_private(to.name, message, from.path.peer, wall);
}

void Room::deliver_private(std::string_view name, Message message, const Endpoint& peer,
                           WallTime wall) {
  const Slot to = find(name);
  if (to == kNoSlot) return;
  ++counters_.private_messages;
  message.flags |= Message::kPrivate;
  if (members_[to].plain) {
    render_plain(message, 0, peer, wall);
    handler_.tell_plain(members_[to].path, rendered_);
    return;
  }
  const FromRoom told = message;
  handler_.tell(to, {&told, 1});
}

}  // namespace netkit::chat
