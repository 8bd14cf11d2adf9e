#include <algorithm>
#include <chat/member.hpp>
#include <utility>

namespace netkit::chat {

namespace {

// A little slower than the room allows, so that no difference between two clocks matters.
constexpr double kPace = 0.9;

datagram::Options client_options(datagram::Options options) {
  options.overflow = datagram::Overflow::keep_all;
  return options;
}

}  // namespace

Member::Options Member::Options::of(std::string name, std::uint64_t since,
                                    const datagram::Random& random) {
  Options options;
  options.instance = random();
  options.name = std::move(name);
  options.since = since;
  return options;
}

Member::Member(const Options& options, datagram::Random random, Handler& handler)
    : options_(options),
      handler_(handler),
      client_(client_options(options.native), Endpoint(), std::move(random), *this) {}

void Member::connect(TimePoint now) {
  settle();
  now_ = now;
  sent_ = 0;
  ending_ = false;
  Hello hello;
  hello.instance = options_.instance;
  hello.room = room_;
  hello.since = next_ == 0 ? options_.since : next_;
  hello.taken = taken_;
  hello.name = options_.name;
  std::string payload;
  encode(hello, payload);
  client_.connect(payload, now);
}

bool Member::request(const Request& request) {
  std::string bytes;
  encode(request, bytes);
  if (finishing_ || chat::text_of(request).size() > kMaxText) return false;
  pending_.push_back(std::move(bytes));
  was_full_ = was_full_ || full();
  return true;
}

std::string_view Member::text_of(std::string_view request) {
  const auto decoded = decode_request(request);
  return decoded ? chat::text_of(*decoded) : std::string_view();
}

// The room's answer to Sync comes after everything that it had to send before.
void Member::finish() {
  if (finishing_) return;
  request(Sync{});
  finishing_ = true;
}

void Member::leave(TimePoint now) {
  settle();
  client_.leave("quit", now);
}

// ---- the engine

void Member::on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) {
  now_ = now;
  client_.on_datagram(datagram, now, from);
}

void Member::tick(TimePoint now) {
  now_ = now;
  client_.tick(now);
}

TimePoint Member::next_deadline() const {
  const TimePoint due = client_.next_deadline();
  const bool waiting = client_.connected() && bucket_ && sent_ < pending_.size();
  return waiting && client_.can_send() ? std::min(due, bucket_->ready_at(now_)) : due;
}

bool Member::drain(datagram::OutputQueue& queue, TimePoint now) {
  now_ = now;
  settle();
  if (client_.connected() && !ending_) send_pending(now);
  if (client_.connected() && synced_ && pending_.empty() && !ending_) {
    ending_ = true;
    client_.finish("quit", now);
  }
  const bool more = client_.drain(queue, now);
  if (was_full_ && pending_.size() < options_.max_pending / 2) {
    was_full_ = false;
    handler_.on_ready();
  }
  return more;
}

void Member::on_refused(const Endpoint& /*to*/, int error) {
  if (!client_.on_refused() && !client_.holds_on()) handler_.on_unreachable(error);
}

void Member::on_next_address(TimePoint now) {
  if (!client_.idle()) connect(now);
}

// Requests of this session that the other side has acknowledged were accepted.
void Member::settle() {
  const std::size_t unacknowledged = client_.unacknowledged();
  while (sent_ > unacknowledged && !pending_.empty()) {
    --sent_;
    forget_first();
  }
}

void Member::forget_first() {
  ++taken_;
  const auto request = decode_request(pending_.front());
  if (request && std::holds_alternative<Say>(*request)) {
    if (heard_early_ > 0) {
      --heard_early_;
    } else {
      unheard_.push_back({taken_, pending_.front()});
      if (unheard_.size() > kMaxUnheard) unheard_.pop_front();
    }
  }
  recent_.push_back({taken_, std::move(pending_.front())});
  pending_.pop_front();
  if (recent_.size() > kRemembered) recent_.pop_front();
}

void Member::send_pending(TimePoint now) {
  while (sent_ < pending_.size() && client_.can_send()) {
    if (bucket_ && !bucket_->take(now)) return;
    if (!client_.send(pending_[sent_])) return;
    ++sent_;
  }
}

// ---- what the room says

void Member::on_connected(std::string_view payload) {
  const auto welcome = decode_welcome(payload);
  if (!welcome) {
    client_.leave("this is not a chat room", now_);
    return handler_.on_lost(datagram::LeftReason::stranger, {});
  }
  told_ = welcome->room == room_ ? next_ : 0;
  if (welcome->room != room_) unheard_.clear();
  room_ = welcome->room;
  id_ = welcome->member;
  next_ = std::max(welcome->first, told_);
  client_.expect_record(welcome->first);
  while (taken_ < welcome->taken && !pending_.empty()) forget_first();
  taken_elsewhere_ = taken_;
  heard_early_ = 0;
  bucket_.reset();
  if (welcome->rate > 0) bucket_.emplace(welcome->rate * kPace, welcome->rate * kPace, now_);
  handler_.on_joined(*welcome);
  if (!finishing_ || synced_ || !pending_.empty()) return;
  finishing_ = false;  // the answer to Sync was lost with the session
  finish();
}

Message Member::own(const Say& said, WallTime time) const {
  const std::uint8_t flags = said.action ? Message::kAction : std::uint8_t{0};
  return {flags, 0, Message::time_of(time), options_.name, said.text};
}

void Member::resume(TimePoint now) {
  now_ = now;
  client_.resume(now);
}

void Member::on_rejected(std::uint16_t code, std::string_view text) {
  handler_.on_rejected(code, text);
}

void Member::on_message(std::uint64_t record, std::string_view message) {
  if (record != 0 && record < told_) return;
  if (record != 0) next_ = record + 1;
  const auto decoded = decode_from_room(message);
  if (!decoded) return;
  if (std::holds_alternative<Synced>(*decoded)) {
    synced_ = finishing_;
    if (synced_) report_unheard();
    return;
  }
  if (const Refused* refused = std::get_if<Refused>(&*decoded)) return take_refusal(*refused);
  if (is_own(*decoded)) return note_own(record);
  if (was_heard(*decoded, record)) return;
  if (const Renamed* renamed = std::get_if<Renamed>(&*decoded); renamed != nullptr) {
    if (renamed->member == id_) options_.name = renamed->to;
  }
  handler_.on_event(*decoded, record);
}

// The member knows its own messages to all, and its own joining (or the end of an old session).
bool Member::is_own(const FromRoom& event) const {
  if (const Message* said = std::get_if<Message>(&event)) {
    return (said->flags & Message::kPrivate) == 0 && said->member == id_;
  }
  if (const Joined* joined = std::get_if<Joined>(&event)) return joined->member == id_;
  if (const Left* left = std::get_if<Left>(&event)) return left->member == id_;
  return false;
}

void Member::note_own(std::uint64_t record) {
  if (record == 0) return;
  settle();
  if (unheard_.empty()) {
    ++heard_early_;
  } else {
    unheard_.pop_front();
  }
}

// The room has sent everything, and this was not among it.
void Member::report_unheard() {
  for (const Taken& said : std::exchange(unheard_, {})) {
    if (said.number > taken_elsewhere_) break;
    handler_.on_refused(text_of(said.bytes),
                        "the server that took it has gone, and may have lost it");
  }
}

// A room whose store is away sends messages without a number, and again once they have one.
bool Member::was_heard(const FromRoom& event, std::uint64_t record) {
  const Message* said = std::get_if<Message>(&event);
  if (said == nullptr || (said->flags & Message::kPrivate) != 0) return false;
  const std::pair key(said->member, said->time_us);
  if (record != 0) {
    const auto found = unnumbered_.find(key);
    if (found == unnumbered_.end()) return false;
    unnumbered_.erase(found);
    return true;
  }
  if (unnumbered_.size() >= kMaxUnnumbered) unnumbered_.erase(unnumbered_.begin());
  unnumbered_.insert(key);
  return false;
}

void Member::take_refusal(const Refused& refused) {
  settle();
  std::erase_if(unheard_, [&](const Taken& said) { return said.number == refused.request; });
  std::string_view text;
  for (const Taken& taken : recent_) {
    if (taken.number == refused.request) text = text_of(taken.bytes);
  }
  const std::uint64_t first = taken_ + 1;
  if (refused.request >= first && refused.request - first < pending_.size()) {
    text = text_of(pending_[refused.request - first]);
  }
  handler_.on_refused(text, refused.why);
}

void Member::on_gap(const datagram::Gap& gap) {
  datagram::Gap rest = gap;
  if (gap.to != 0) {
    unheard_.clear();  // some may be among them
    rest.from = std::max(gap.from, told_);
    next_ = std::max(next_, gap.to + 1);
  }
  if (rest.from > rest.to) rest.from = rest.to = 0;
  if (rest.to != 0 || rest.unnumbered > 0) handler_.on_gap(rest);
}

void Member::on_left(datagram::LeftReason reason, std::string_view text) {
  settle();
  sent_ = 0;
  if (synced_ && pending_.empty()) return handler_.on_finished();
  handler_.on_lost(reason, text);
}

}  // namespace netkit::chat
