#include <algorithm>
#include <chat/room_server.hpp>

#include <fmt/format.h>

namespace netkit::chat {

namespace {

using datagram::SessionRef;

// Each of many members who join at once would cost as much as there are members. In a big room
// notices wait for others to go out with, longer the more members there are: sending all of them
// together takes a fraction of the time.
constexpr std::int64_t kBigRoom = 32;
constexpr Duration kPatiencePerMember = std::chrono::milliseconds(2);
constexpr Duration kMostPatience = std::chrono::milliseconds(250);

LeaveReason reason_of(datagram::LeftReason reason) {
  if (reason == datagram::LeftReason::lease) return LeaveReason::lease;
  if (reason == datagram::LeftReason::reset) return LeaveReason::reset;
  return LeaveReason::quit;
}

}  // namespace

const std::string& RoomServer::Handler::identity(std::uint32_t /*owner*/) const {
  static const std::string kNobody;
  return kNobody;
}

RoomServer::RoomServer(const Options& options, const datagram::Random& random, Handler& handler)
    : options_(options),
      handler_(handler),
      id_(random() | 1U),  // 0 is "whichever"
      room_(options.room, static_cast<Room::Handler&>(*this)),
      native_(options.native, random, *this),
      messages_(native_, {.keep = options.keep}),
      notices_(native_, {.numbered = false}),
      plain_({.limit = options.max_plain_queue, .rate = options.plain_rate}) {}

void RoomServer::on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) {
  now_ = now;
  if (datagram::is_native(datagram)) return native_.on_datagram(from, datagram, now);
  if (closing_) return;
  room_.on_plain(from, datagram, handler_.policy().permits_plain(from.peer), now, handler_.wall());
}

void RoomServer::tick(TimePoint now) {
  now_ = now;
  native_.tick(now);
  if (!closing_) room_.tick(now);
}

TimePoint RoomServer::next_deadline() const {
  return closing_ ? native_.next_deadline()
                  : std::min({native_.next_deadline(), room_.next_deadline(), notices_due_});
}

bool RoomServer::drain(datagram::OutputQueue& queue, TimePoint now) {
  now_ = now;
  flush_messages();
  if (notices_due_ <= now) flush_notices();
  flush_told();
  on_plain_change();
  bool more = native_.drain(queue, now);
  more = plain_.drain(queue, now) || more;
  const bool told = closing_ && native_.size() == 0 && plain_.waiting() == 0;
  if (told && !std::exchange(closed_, true)) handler_.on_closed();
  return more;
}

void RoomServer::close(TimePoint now) {
  now_ = now;
  room_.close();
  closing_ = true;
  flush();
  flush_told();
  on_plain_change();
  native_.finish_all("the room has closed", now);
}

// ---- sessions

Slot& RoomServer::slot_of(SessionRef session) {
  if (slots_.size() <= session.index) slots_.resize(session.index + 1, kNoSlot);
  return slots_[session.index];
}

SessionRef& RoomServer::session_of(Slot slot) {
  if (sessions_.size() <= slot) sessions_.resize(slot + 1);
  return sessions_[slot];
}

// The number from which on a newcomer hears; what is older than the history is a gap to one who
// asked for a number, and left out for one who asked for all there is.
std::uint64_t RoomServer::first_for(const Hello& hello) const {
  const std::uint64_t next = messages_.next_record();
  if (hello.since == kSinceNow || options_.keep == 0) return next;
  const bool other_room = hello.room != 0 && hello.room != id_;
  if (hello.since == kSinceAll || other_room) {
    return messages_.first_kept() == 0 ? next : messages_.first_kept();
  }
  if (hello.since >= since_last(kMostSinceLast)) {
    const std::uint64_t wanted = std::min(kSinceAll - hello.since, next - 1);
    return std::max(next - wanted, messages_.first_kept() == 0 ? next : messages_.first_kept());
  }
  return std::min(hello.since, next);
}

datagram::Verdict RoomServer::on_connect(SessionRef session, const Endpoint& peer,
                                         std::string_view payload) {
  using datagram::RejectCode;
  using datagram::Verdict;
  const auto hello = decode_hello(payload);
  if (!hello) return Verdict::reject(RejectCode::bad_request, "this is a chat room");
  if (closing_) return Verdict::reject(RejectCode::full, "the room is closing");
  const std::uint32_t owner = native_.owner(session);
  if (owner != 0 && handler_.identity(owner) != hello->name) {
    return Verdict::reject(RejectCode::forbidden,
                           fmt::format("the key belongs to '{}'", handler_.identity(owner)));
  }
  // Earlier messages are not for it, or come from the ring. Notices are left to wait, so that
  // those of many who come at once go out together.
  flush_messages(session);
  const Room::Entry entry = room_.join(*hello, peer, now_, owner != 0);
  if (entry.slot == kNoSlot) {
    const bool full = entry.refusal == Room::Entry::Refusal::full;
    const bool taken = entry.refusal == Room::Entry::Refusal::taken;
    const bool banned = entry.refusal == Room::Entry::Refusal::banned;
    return Verdict::reject(full     ? RejectCode::full
                           : taken  ? RejectCode::taken
                           : banned ? RejectCode::forbidden
                                    : RejectCode::bad_request,
                           entry.why);
  }
  slot_of(session) = entry.slot;
  session_of(entry.slot) = session;
  Welcome welcome{id_, entry.member, first_for(*hello), entry.taken, 0, options_.motd};
  // It is a whole number there, and 0 would be no limit.
  if (options_.room.rate > 0) {
    welcome.rate = static_cast<std::uint32_t>(std::clamp(options_.room.rate, 1.0, 4e9));
  }
  if (welcome.first < messages_.next_record()) messages_.send_since(session, welcome.first);
  encode(welcome, encoded_);
  std::string accepted = encoded_;
  if (const Moderation& moderation = room_.moderation(); !moderation.topic().empty()) {
    const FromRoom topic = Topic{0, moderation.topic_by(), moderation.topic()};
    tell(entry.slot, {&topic, 1});
  }
  return Verdict::accept(std::move(accepted));
}

void RoomServer::revoke(std::uint32_t owner) {
  for (Slot member = 0; member < sessions_.size(); ++member) {
    const SessionRef session = sessions_[member];
    if (!session || native_.owner(session) != owner) continue;
    room_.put_out(member, LeaveReason::revoked);
  }
}

void RoomServer::on_message(SessionRef session, std::uint64_t /*record*/,
                            std::string_view message) {
  if (closing_) return;
  room_.on_request(slot_of(session), decode_request(message), now_, handler_.wall());
}

void RoomServer::on_gap(SessionRef session, const datagram::Gap& gap) {
  if (gap.unnumbered > 0 && !closing_) room_.on_lost(slot_of(session), gap.unnumbered);
}

void RoomServer::on_moved(SessionRef session, const Endpoint& peer) {
  if (slot_of(session) != kNoSlot) room_.move(slot_of(session), peer);
}

void RoomServer::on_left(SessionRef session, datagram::LeftReason reason,
                         std::string_view /*text*/) {
  Slot& slot = slot_of(session);
  if (slot == kNoSlot) return;
  const Slot left = std::exchange(slot, kNoSlot);
  session_of(left) = {};
  if (!closing_) room_.leave(left, reason_of(reason));
}

// ---- deliveries: numbered messages and notices are packed apart, so that the turn of one ends
// what was begun of the other

void RoomServer::flush_messages(SessionRef except) {
  messages_.flush(except);
}

void RoomServer::flush_notices() {
  notices_due_ = TimePoint::max();
  notices_.flush();
}

void RoomServer::flush() {
  flush_messages();
  flush_notices();
}

void RoomServer::say(const Message& message) {
  flush_notices();
  encode(FromRoom(message), encoded_);
  messages_.append(encoded_);
}

void RoomServer::say_unnumbered(const Message& message) {
  flush_told();
  flush_messages();
  encode(FromRoom(message), encoded_);
  notices_.append(encoded_);
  flush_notices();
}

void RoomServer::number_by(std::uint64_t stream, std::uint64_t next) {
  id_ = stream;
  if (next <= messages_.next_record()) return;
  flush();
  messages_.go_on_with(next);
}

void RoomServer::deliver_stored(const Message& message, std::uint64_t seq, bool heard,
                                const Endpoint& peer) {
  number_by(id_, seq);
  room_.deliver_stored(message, seq, heard, peer, handler_.wall());
}

void RoomServer::deliver_unnumbered(const Message& message, const Endpoint& peer) {
  room_.deliver_unnumbered(message, peer, handler_.wall());
}

void RoomServer::notify(const FromRoom& notice) {
  flush_told();
  flush_messages();
  encode(notice, encoded_);
  notices_.append(encoded_);
  if (notices_due_ != TimePoint::max()) return;
  const auto members = static_cast<std::int64_t>(room_.members());
  const Duration patience = std::min(members * kPatiencePerMember, kMostPatience);
  notices_due_ = members < kBigRoom ? now_ : now_ + patience;
}

void RoomServer::tell(Slot member, std::span<const FromRoom> messages) {
  const SessionRef session = session_of(member);
  if (std::holds_alternative<Message>(messages.front())) {
    flush();
    encode(messages.front(), encoded_);
    native_.send(session, encoded_);
    return;
  }
  if (told_.empty() || !(told_.back().session == session)) told_.push_back({session, {}});
  for (const FromRoom& message : messages) encode(message, told_.back().messages.emplace_back());
}

void RoomServer::flush_told() {
  if (told_.empty()) return;
  flush();
  for (const Told& told : std::exchange(told_, {})) native_.send(told.session, told.messages);
}

void RoomServer::say_plain(std::string_view datagram) {
  plain_.say(datagram);
}

void RoomServer::tell_plain(const datagram::Path& member, std::string_view datagram) {
  on_plain_change();
  plain_.tell(member, datagram);
}

void RoomServer::on_plain_change() {
  if (plain_.settled()) return;
  std::vector<datagram::Path> members;
  members.reserve(room_.plain_members());
  room_.for_each_plain([&members](const datagram::Path& to) { members.push_back(to); });
  plain_.settle(members);
}

void RoomServer::end_session(Slot member, std::string_view why, datagram::ByeCode code) {
  const SessionRef session = std::exchange(session_of(member), {});
  if (!session) return;
  slot_of(session) = kNoSlot;
  native_.close(session, why, code);
}

void RoomServer::on_replaced(Slot member) {
  end_session(member, "the same member has joined from elsewhere", datagram::ByeCode::bye);
}

// It may come back, but not automatically: the two would displace each other forever.
void RoomServer::on_displaced(Slot member) {
  end_session(member, "another has joined with the same key", datagram::ByeCode::evicted);
}

void RoomServer::on_put_out(Slot member, LeaveReason reason) {
  using datagram::ByeCode;
  if (reason == LeaveReason::kicked) {
    end_session(member, "kicked by an operator", ByeCode::evicted);
  } else if (reason == LeaveReason::banned) {
    end_session(member, "banned by an operator", ByeCode::forbidden);
  } else {
    end_session(member, "the key was revoked", ByeCode::forbidden);
  }
}

void RoomServer::on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) {
  handler_.on_event(event, seq, peer);
}

}  // namespace netkit::chat
