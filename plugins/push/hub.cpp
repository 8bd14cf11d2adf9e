#include <algorithm>
#include <push/hub.hpp>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

using datagram::ByeCode;

std::string_view reason_of(datagram::LeftReason why) {
  switch (why) {
    case datagram::LeftReason::lease:
      return reason::kSilent;
    case datagram::LeftReason::finished:
      return reason::kEnded;
    default:
      return reason::kLeft;
  }
}

// A session has room for everything that is kept, and for the end of a replay.
datagram::Options with_last_word(datagram::Options protocol) {
  ++protocol.keep;
  return protocol;
}

}  // namespace

const std::string& Hub::Handler::identity(std::uint32_t /*owner*/) const {
  static const std::string kNobody;
  return kNobody;
}

Hub::Hub(const Options& options, const datagram::Random& random, Handler& handler)
    : options_(options),
      full_(full_text(options.max_subscribers, "subscriber", "--max-subscribers")),
      share_(share_text(SourceShares(options.max_subscribers).share(), options.max_subscribers,
                        "--max-subscribers")),
      handler_(handler),
      server_(with_last_word(options.protocol), random, *this),
      records_(server_,
               {.keep = options.protocol.keep, .keep_bytes = server_.options().keep_bytes}),
      by_topic_(server_, records_, {.keep = options.protocol.keep, .last = options.last}),
      plain_({.rate = options.plain_rate}),
      shares_(options.max_subscribers),
      stream_(std::max<std::uint64_t>(random(), 1)) {}

void Hub::on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) {
  now_ = now;
  if (datagram::is_native(datagram)) {
    server_.on_datagram(from, datagram, now);
    return;
  }
  const auto name = clean_name(datagram);
  if (!name) {
    ++counters_.refused_name;
    return;
  }
  subscribe_plain(*name, from, 0, now);
}

std::string_view Hub::why_no_room(const Endpoint& peer, const Subscriber* leaving) {
  const std::size_t staying = table_.size() - (leaving != nullptr ? 1 : 0);
  if (staying >= options_.max_subscribers) {
    ++counters_.refused_full;
    handler_.on_full(peer, full_);
    return full_;
  }
  const IpAddress address = peer.address();
  if (leaving != nullptr && leaving->address.address() == address) return {};
  if (!shares_.take(address)) {
    ++counters_.refused_share;
    handler_.on_full(peer, share_);
    return share_;
  }
  shares_.give_back(address);  // enter() takes it
  return {};
}

std::string_view Hub::subscribe_plain(std::string_view name, const datagram::Path& path,
                                      std::uint64_t control, TimePoint now) {
  const Endpoint& address = path.peer;
  now_ = now;
  if (handler_.policy().judge_source(address) != Refusal::none) {
    ++counters_.refused_plain;
    return "that address cannot be subscribed";
  }
  if (!handler_.policy().permits_plain(address)) {
    ++counters_.refused_plain;
    return "plain subscribers from this address are not accepted (--plain)";
  }
  if (finishing_) return "the server is closing";
  if (is_reserved(name)) {
    ++counters_.refused_plain;
    return kReservedName;
  }
  Subscriber* same_name = table_.find_name(name);
  Subscriber* same_address = table_.find_plain(address);
  if (same_name != nullptr && same_name == same_address) {
    if (control != 0) same_name->control = control;
    return {};
  }
  const Subscriber* leaving = same_name != nullptr ? same_name : same_address;
  if (const std::string_view why = why_no_room(address, leaving); !why.empty()) return why;
  const std::string kept(name);  // `name` may be the leaving one's
  if (same_name != nullptr) remove(*same_name, reason::kMoved);
  if (same_address != nullptr) remove(*same_address, reason::kMoved);
  enter(kept, path, {}, control);
  if (options_.last && last_text_) plain_.tell(path, *last_text_);
  return {};
}

void Hub::enter(std::string_view name, const datagram::Path& path, datagram::SessionRef session,
                std::uint64_t control) {
  // A new subscriber does not get earlier records.
  if (!session) plain_.settle(table_.plain_paths());
  shares_.take(path.peer.address());
  Subscriber& subscriber = table_.add(name, path, session);
  subscriber.control = control;
  subscriber.since = now_;
  subscriber.records_then = counters_.records;
  ++counters_.subscribed;
  handler_.on_subscribed(subscriber);
}

void Hub::remove(Subscriber& subscriber, std::string_view why) {
  ++counters_.unsubscribed;
  const datagram::SessionRef session = subscriber.session;
  if (!session) plain_.settle(table_.plain_paths());
  const bool given_up = why == reason::kSilent || why == reason::kSlow;
  const std::uint64_t undelivered =
      given_up && server_.contains(session) ? server_.status(session).lag : 0;
  counters_.undelivered += undelivered;
  handler_.on_unsubscribed(subscriber, why, undelivered);
  shares_.give_back(subscriber.address.address());
  if (subscriber.by_topic) by_topic_.remove(session);
  table_.remove(subscriber);
  const bool forbidden = why == reason::kRevoked;
  if (session) server_.close(session, why, forbidden ? ByeCode::forbidden : ByeCode::bye);
}

std::string_view Hub::subscribe(std::string_view name, const Endpoint& address,
                                std::uint64_t control, TimePoint now) {
  const auto clean = clean_name(name);
  if (!clean) {
    ++counters_.refused_name;
    return kNameForm;
  }
  return subscribe_plain(*clean, address, control, now);
}

bool Hub::unsubscribe(std::string_view name) {
  Subscriber* subscriber = table_.find_name(trim_white_space(name));
  if (subscriber == nullptr) return false;
  remove(*subscriber, reason::kAsked);
  return true;
}

void Hub::release(std::string_view name, std::uint64_t control) {
  Subscriber* subscriber = table_.find_name(name);
  if (subscriber != nullptr && subscriber->control == control) remove(*subscriber, reason::kLeft);
}

void Hub::revoke(std::uint32_t owner) {
  std::vector<datagram::SessionRef> sessions;
  table_.for_each([&](const Subscriber& subscriber) {
    if (!subscriber.plain() && server_.owner(subscriber.session) == owner) {
      sessions.push_back(subscriber.session);
    }
  });
  for (const datagram::SessionRef session : sessions) {
    remove(*table_.find_session(session), reason::kRevoked);
  }
}

void Hub::on_unreachable(const Endpoint& to) {
  Subscriber* subscriber = table_.find_plain(to);
  if (subscriber != nullptr) remove(*subscriber, reason::kRefused);
}

void Hub::on_refused(const Endpoint& to, int error) {
  Subscriber* subscriber = table_.find_plain(to);
  if (subscriber != nullptr) ++subscriber->lost;
  handler_.on_not_sent(to, error);
}

void Hub::number_by(std::uint64_t stream, std::uint64_t next) {
  stream_ = stream;
  counters_ = {};  // what was pushed before
  flush_records();
  if (next > records_.next_record()) records_.go_on_with(next);
}

// Subscribers by topic do not read the channel for all.
void Hub::flush_records(datagram::SessionRef except) {
  if (by_topic_.empty()) return records_.flush(except);
  std::vector<datagram::SessionRef> all;
  table_.for_each([&](const Subscriber& subscriber) {
    const bool is_one = !subscriber.plain() && !subscriber.by_topic;
    if (is_one && !(subscriber.session == except)) all.push_back(subscriber.session);
  });
  records_.flush_to(all);
  by_topic_.flush();
}

bool Hub::publish(std::string_view text, std::uint64_t number, std::string_view topic) {
  if (!fits(text)) {
    count_too_long();
    return false;
  }
  if (number > records_.next_record()) {
    flush_records();
    records_.go_on_with(number);
  }
  by_topic_.publish(records_.next_record(), topic, text);
  records_.append(text);
  ++counters_.records;
  counters_.bytes += text.size();
  if (!table_.plain_paths().empty()) plain_.say(text);
  if (options_.last) last_text_ = text;
  return true;
}

// Neither dialect waits for the other to finish.
bool Hub::drain(datagram::OutputQueue& queue, TimePoint now) {
  constexpr std::size_t kRound = datagram::OutputQueue::kRound;
  now_ = now;
  flush_records();
  plain_.settle(table_.plain_paths());
  const bool more = server_.drain(queue, now, plain_.waiting() > 0 ? kRound / 2 : kRound);
  return plain_.drain(queue, now, kRound) || more;
}

TimePoint Hub::hold_until(TimePoint now) {
  now_ = now;
  if (options_.slow == SlowPolicy::wait) {
    return server_.full_sessions() > 0 ? TimePoint::max() : TimePoint::min();
  }
  if (lag_.changes == server_.full_changes() && now < lag_.look_again) return lag_.until;
  lag_ = {.changes = server_.full_changes()};
  std::vector<datagram::SessionRef> slow;
  table_.for_each([&](Subscriber& subscriber) {
    if (subscriber.plain() || !server_.full(subscriber.session)) {
      subscriber.full_since = TimePoint::max();
      return;
    }
    subscriber.full_since = std::min(subscriber.full_since, now);
    const TimePoint end = saturating_add(subscriber.full_since, options_.grace);
    if (end > now) {
      lag_.until = std::max(lag_.until, end);
      lag_.look_again = std::min(lag_.look_again, end);
    } else if (options_.slow == SlowPolicy::drop) {
      slow.push_back(subscriber.session);
    }
  });
  for (const datagram::SessionRef session : slow) {
    ++counters_.dropped_slow;
    remove(*table_.find_session(session), reason::kSlow);
  }
  return lag_.until;
}

// Where a client's records begin: what it asks for when it knows this stream, else the newest with
// --last, else what comes next.
std::uint64_t Hub::first_record(const Request& request) const {
  const std::uint64_t next = records_.next_record();
  const bool known = request.stream == 0 || request.stream == stream_;
  if (request.since != 0 && known) return std::min(request.since, next);
  if (options_.last && records_.last_kept() != 0) return records_.last_kept();
  return next;
}

datagram::Verdict Hub::on_connect(datagram::SessionRef session, const Endpoint& peer,
                                  std::string_view payload) {
  using datagram::Verdict;
  const auto request = decode_request(payload);
  if (!request) {
    ++counters_.refused_name;
    return Verdict::reject(datagram::RejectCode::bad_request, std::string(kRequestForm));
  }
  const std::uint32_t owner = server_.owner(session);
  if (owner != 0 && handler_.identity(owner) != request->name) {
    return Verdict::reject(datagram::RejectCode::forbidden,
                           fmt::format("the key belongs to '{}'", handler_.identity(owner)));
  }
  if (finishing_) return Verdict::reject(datagram::RejectCode::full, "the server is closing");
  Subscriber* same_name = table_.find_name(request->name);
  if (const std::string_view why = why_no_room(peer, same_name); !why.empty()) {
    return Verdict::reject(datagram::RejectCode::full, std::string(why));
  }
  if (!request->topics.empty() && options_.slow != SlowPolicy::skip &&
      server_.counters().queued >= server_.options().max_queued) {
    return Verdict::reject(datagram::RejectCode::full,
                           "too much waits for other subscribers (--max-memory)");
  }
  if (same_name != nullptr) remove(*same_name, reason::kMoved);
  flush_records(session);  // what was published before is not the newcomer's
  enter(request->name, peer, session, 0);
  if (!request->topics.empty()) {
    table_.find_session(session)->by_topic = true;
    const bool known = request->stream == 0 || request->stream == stream_;
    const std::uint64_t first =
        by_topic_.add(session, request->topics, known ? request->since : 0, records_.next_record());
    return Verdict::accept(encode(Welcome{stream_, first}));
  }
  const std::uint64_t first = first_record(*request);
  if (first < records_.next_record()) records_.send_since(session, first);
  return Verdict::accept(encode(Welcome{stream_, first}));
}

// It has a place already, so its new address may have more than its share.
void Hub::on_moved(datagram::SessionRef session, const Endpoint& peer) {
  Subscriber* subscriber = table_.find_session(session);
  if (subscriber == nullptr) return;
  shares_.give_back(subscriber->address.address());
  shares_.add(peer.address());
  subscriber->address = peer;
}

void Hub::on_left(datagram::SessionRef session, datagram::LeftReason why, std::string_view) {
  Subscriber* subscriber = table_.find_session(session);
  if (subscriber != nullptr) remove(*subscriber, reason_of(why));
}

void Hub::finish(TimePoint now) {
  now_ = now;
  finishing_ = true;
  flush_records();
  server_.finish_all("the source has ended", now);
}

void Hub::close() {
  finishing_ = true;
  std::vector<datagram::SessionRef> sessions;
  table_.for_each([&](const Subscriber& subscriber) {
    if (!subscriber.plain()) sessions.push_back(subscriber.session);
  });
  for (const datagram::SessionRef session : sessions) {
    remove(*table_.find_session(session), reason::kStopped);
  }
}

void Hub::for_each_row(TimePoint now, const std::function<void(const RosterRow&)>& visit) const {
  std::vector<const Subscriber*> all;
  all.reserve(table_.size());
  table_.for_each([&](const Subscriber& subscriber) { all.push_back(&subscriber); });
  std::ranges::sort(all, {}, &Subscriber::number);
  for (const Subscriber* subscriber : all) visit(row_of(*subscriber, now));
}

datagram::PathStatus Hub::path_of(const Subscriber& subscriber) const {
  if (!server_.contains(subscriber.session)) return {};
  return server_.status(subscriber.session).path;
}

RosterRow Hub::row_of(const Subscriber& subscriber, TimePoint now) const {
  RosterRow row{.name = subscriber.name,
                .address = subscriber.address,
                .plain = subscriber.plain(),
                .age = now - subscriber.since};
  if (row.plain) {
    row.lost = subscriber.lost;
    row.sent = counters_.records - subscriber.records_then - subscriber.lost;
  } else {
    const datagram::SessionStatus status = server_.status(subscriber.session);
    row.sent = status.delivered;
    row.lost = status.dropped;
    row.lag = status.lag;
    row.path = status.path;
  }
  return row;
}

}  // namespace netkit::push
