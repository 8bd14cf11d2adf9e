#include "datagram/server_impl.hpp"

#include <algorithm>

#include <netkit/datagram/server.hpp>

namespace netkit::datagram {
namespace {

// Passes a session's messages on, and remembers its END for after the call.
class PeerHandler final : public MessageHandler {
 public:
  PeerHandler(Server::Handler& handler, SessionRef ref) : handler_(handler), ref_(ref) {}
  void on_message(std::uint64_t record, std::string_view message) override {
    handler_.on_message(ref_, record, message);
  }
  void on_gap(const Gap& gap) override { handler_.on_gap(ref_, gap); }
  void on_end(const Bye& end) override { text.assign(end.text); }

  std::string text;

 private:
  Server::Handler& handler_;
  SessionRef ref_;
};

// What was packed for one session.
std::span<const ChunkRef> charged(Packer& packer) {
  const std::span<const ChunkRef> chunks = packer.flush();
  charge(chunks, 1);
  return chunks;
}

}  // namespace

Server::Impl::Impl(const Options& given, Random source, Handler& owner)
    : options(given.within_limits()),
      random(std::move(source)),
      handler(owner),
      cookies(options.cookie_lifetime, random),
      ended(options.remember_ended),
      strays(options.stray_rate),
      challenges(options.stray_rate) {}

Server::Impl::Peer* Server::Impl::find(SessionRef ref) const {
  if (ref.index >= peers.size() || generations[ref.index] != ref.generation) return nullptr;
  return peers[ref.index].get();
}

void Server::Impl::on_session_datagram(const Path& from, std::string_view datagram, TimePoint at) {
  const auto header = decode_header(datagram);
  if (!header) {
    ++counters.malformed;
    return;
  }
  Peer* peer = find(header->session, from);
  if (peer == nullptr) {
    if (!challenge(from, *header, at)) on_stray(from, *header, at);
    return;
  }
  const std::string_view body = datagram.substr(kHeaderSize);
  if (header->type == Type::bye) {
    const auto bye = decode_bye(body);
    if (bye) leave(*peer, LeftReason::bye, std::string(bye->text), at);
    counters.malformed += !bye;
    return;
  }
  if (peer->accept) on_confirmed(*peer, at);
  PeerHandler messages(handler, peer->ref);
  peer->session.on_datagram(*header, body, from.ecn, at, messages);
  if (peer->leaving) return;
  if (peer->session.receiving().ended()) {
    leave(*peer, LeftReason::ended, messages.text, at);
  } else {
    settle(*peer, at);
  }
}

void Server::Impl::on_confirmed(Peer& peer, TimePoint at) {
  peer.accept.reset();
  --unconfirmed;
  peer.send_accept = false;
  // A client repeats its first sign of life, after 2 * min_rto at the earliest: what comes later
  // may be the repetition, and by Karn's rule is no sample.
  const Duration sample = at - peer.began;
  if (!peer.asked_again && sample < 2 * options.min_rto) {
    peer.session.sending().add_rtt_sample(sample, at);
  }
}

void Server::Impl::on_reset(const Path& from, std::uint64_t id, TimePoint at) {
  Peer* peer = find(id, from);
  if (peer != nullptr) leave(*peer, LeftReason::reset, {}, at);
}

// After anything that changed a session.
void Server::Impl::settle(Peer& peer, TimePoint at) {
  update_full(peer);
  if (peer.session.finished()) {
    leave(peer, LeftReason::finished, {}, at);
  } else if (peer.session.wants_drain(at)) {
    mark_dirty(peer);
  } else {
    deadlines.lower(peer.ref.index, deadline(peer));
  }
}

TimePoint Server::Impl::deadline(const Peer& peer) const {
  if (!peer.accept) return peer.session.deadline();
  return std::min(saturating_add(peer.began, std::min(options.lease, options.connect_timeout)),
                  peer.session.lease_end());
}

void Server::Impl::check_timer(Peer& peer, TimePoint at) {
  const bool unused = peer.accept && deadline(peer) <= at;
  if (unused || peer.session.expired(at)) {
    ++counters.expired;
    leave(peer, LeftReason::lease, {}, at);
    return;
  }
  if (!peer.accept) peer.session.on_timer(at);
  if (!peer.accept && peer.session.wants_drain(at)) {
    mark_dirty(peer);
    deadlines.set(peer.ref.index, peer.session.lease_end());  // until drain() sets the right one
  } else {
    const TimePoint next = std::max(deadline(peer), at + std::chrono::microseconds(1));
    deadlines.set(peer.ref.index, next);
  }
}

bool Server::Impl::drain_peer(Peer& peer, OutputQueue& queue, TimePoint at, std::size_t limit) {
  if (peer.send_accept) {
    peer.send_accept = false;
    queue.add_along(peer.path, *peer.accept);
    ++counters.datagrams_out;
    counters.bytes_out += peer.accept->size();
  }
  // Nothing more before the client has shown that it knows the session.
  bool more = false;
  if (!peer.accept) more = peer.session.drain(peer.path, queue, at, limit);
  update_full(peer);
  if (!more) deadlines.lower(peer.ref.index, deadline(peer));
  return more;
}

void Server::Impl::mark_dirty(Peer& peer) {
  if (peer.dirty) return;
  peer.dirty = true;
  dirty.push_back(peer.ref.index);
}

// As the end may never be reached, as long as more is marked than there is room for.
void Server::Impl::forget_drained() {
  if (dirty_begin * 2 < dirty.size()) return;
  dirty.erase(dirty.begin(), dirty.begin() + static_cast<std::ptrdiff_t>(dirty_begin));
  dirty_begin = 0;
}

void Server::Impl::update_full(Peer& peer) {
  const bool full = !peer.leaving && peer.session.sending().full();
  if (full == peer.full) return;
  peer.full = full;
  ++full_changes;
  if (full) {
    ++full_sessions;
  } else {
    --full_sessions;
  }
}

void Server::Impl::leave(Peer& peer, LeftReason reason, std::string_view text, TimePoint at) {
  using Answer = EndedSessions::Answer;
  peer.leaving = true;
  const bool asked = peer.session.receiving().ack_due(at);
  peer.session.receiving().stop();
  const bool in_order = reason == LeftReason::ended || reason == LeftReason::finished;
  if (reason == LeftReason::ended || (reason == LeftReason::finished && asked)) {
    scratch.assign(kHeaderSize, '\0');
    encode_header(peer.session.header(Type::ack, at), scratch.data());
    reply(peer.path, scratch);
  }
  handler.on_left(peer.ref, reason, text);
  const bool silent = reason == LeftReason::lease;
  forget(peer, in_order ? Answer::ack : silent ? Answer::reset : Answer::nothing, at);
}

void Server::Impl::forget(Peer& peer, EndedSessions::Answer answer, TimePoint at, ByeCode code) {
  const Type type = answer == EndedSessions::Answer::bye ? Type::bye : Type::ack;
  if (answer != EndedSessions::Answer::reset) {
    ended.add({peer.attempt(), answer, peer.session.header(type, at), code});
  }
  if (peer.accept) --unconfirmed;
  update_full(peer);
  deadlines.remove(peer.ref.index);
  by_id.erase(peer.session.id());
  by_attempt.erase(&peer);
  leave_network(peer);
  ++generations[peer.ref.index];
  free_indexes.push_back(peer.ref.index);
  gone.push_back(std::move(peers[peer.ref.index]));
}

void Server::Impl::finish(Peer& peer, std::string_view text, TimePoint at) {
  peer.session.finish(0, text, at);
  mark_dirty(peer);
}

Server::Server(const Options& options, Random random, Handler& handler)
    : impl_(std::make_unique<Impl>(options, std::move(random), handler)) {}

Server::~Server() = default;

void Server::on_datagram(const Path& from, std::string_view datagram, TimePoint now) {
  Impl& impl = *impl_;
  impl.gone.clear();
  impl.now = now;
  const Class what = classify(datagram);
  if (what == Class::foreign) return;
  ++impl.counters.datagrams_in;
  impl.counters.bytes_in += datagram.size();
  if (what == Class::other_version) return impl.on_other_version(from, datagram, now);
  if (what == Class::malformed) {
    ++impl.counters.malformed;
    return;
  }
  switch (type_of(datagram)) {
    case Type::hello:
      return impl.on_hello(from, datagram, now);
    case Type::connect:
      return impl.on_connect(from, datagram, now);
    case Type::data:
    case Type::ack:
    case Type::bye:
      return impl.on_session_datagram(from, datagram, now);
    case Type::reset:
      return impl.on_reset(from, key_of(datagram), now);
    case Type::move:
      return impl.on_move(from, datagram, now);
    default:  // a server's: never answered
      ++impl.counters.malformed;
  }
}

void Server::tick(TimePoint now) {
  impl_->gone.clear();
  impl_->now = now;
  while (next_deadline() <= now) {
    impl_->check_timer(*impl_->peers[impl_->deadlines.top_index()], now);
  }
}

TimePoint Server::next_deadline() const {
  return impl_->deadlines.empty() ? TimePoint::max() : impl_->deadlines.top();
}

bool Server::drain(OutputQueue& queue, TimePoint now, std::size_t limit) {
  Impl& impl = *impl_;
  impl.gone.clear();
  for (const auto& item : impl.replies.items()) queue.add(*item.to, item.head);
  impl.replies.clear();
  bool more = false;
  while (impl.dirty_begin < impl.dirty.size()) {
    Impl::Peer* peer = impl.peers[impl.dirty[impl.dirty_begin]].get();
    const bool is_marked = peer != nullptr && peer->dirty;
    more = is_marked && (queue.size() >= limit || impl.drain_peer(*peer, queue, now, limit));
    if (more) break;
    if (is_marked) peer->dirty = false;
    ++impl.dirty_begin;
  }
  impl.forget_drained();
  return more;
}

bool Server::send(SessionRef session, std::span<const ChunkRef> chunks) {
  Impl::Peer* peer = impl_->find(session);
  if (peer == nullptr || peer->leaving || peer->session.finishing()) return false;
  for (const ChunkRef& chunk : chunks) peer->session.sending().enqueue(chunk);
  impl_->update_full(*peer);
  impl_->mark_dirty(*peer);
  return true;
}

bool Server::send(SessionRef session, std::span<const std::string> messages) {
  Packer packer({impl_->options.max_body(), impl_->options.max_message, 0});
  const auto packed = [&](const std::string& message) { return packer.append(message); };
  return std::ranges::all_of(messages, packed) && send(session, charged(packer));
}

bool Server::send(SessionRef session, std::string_view message) {
  Packer packer({impl_->options.max_body(), impl_->options.max_message, 0});
  return packer.append(message) && send(session, charged(packer));
}

void Server::broadcast(std::span<const ChunkRef> chunks, SessionRef except) {
  for (const auto& peer : impl_->peers) {
    if (peer && !(peer->ref == except)) send(peer->ref, chunks);
  }
}

void Server::finish(SessionRef session, std::string_view text, TimePoint now) {
  Impl::Peer* peer = impl_->find(session);
  if (peer != nullptr && !peer->leaving) impl_->finish(*peer, text, now);
}

void Server::finish_all(std::string_view text, TimePoint now) {
  for (const auto& peer : impl_->peers) {
    if (peer && !peer->leaving) impl_->finish(*peer, text, now);
  }
}

void Server::close(SessionRef session, std::string_view text, ByeCode code) {
  Impl::Peer* peer = impl_->find(session);
  if (peer == nullptr || peer->leaving) return;
  peer->leaving = true;
  peer->session.receiving().stop();
  const Header header = peer->session.header(Type::bye, impl_->now);
  impl_->scratch.assign(kHeaderSize, '\0');
  encode_header(header, impl_->scratch.data());
  impl_->scratch.push_back(static_cast<char>(code));
  impl_->scratch.append(text.substr(0, kMaxReason));
  impl_->queue(peer->path, impl_->scratch);  // one a session: bounded by their number
  impl_->forget(*peer, EndedSessions::Answer::bye, impl_->now, code);
}

std::size_t Server::size() const {
  return impl_->by_id.size();
}

std::size_t Server::unconfirmed() const {
  return impl_->unconfirmed;
}

std::size_t Server::full_sessions() const {
  return impl_->full_sessions;
}

std::uint64_t Server::full_changes() const {
  return impl_->full_changes;
}

bool Server::full(SessionRef session) const {
  return impl_->find(session)->full;
}

bool Server::contains(SessionRef session) const {
  return impl_->find(session) != nullptr;
}

const Endpoint& Server::peer(SessionRef session) const {
  return impl_->find(session)->path.peer;
}

std::uint32_t Server::owner(SessionRef session) const {
  return impl_->find(session)->path.owner;
}

SessionStatus Server::status(SessionRef session) const {
  return impl_->find(session)->session.status();
}

std::vector<PathStatus> Server::paths() const {
  std::vector<PathStatus> all;
  for (const auto& peer : impl_->peers) {
    if (peer) all.push_back(peer->session.status().path);
  }
  return all;
}

const Options& Server::options() const {
  return impl_->options;
}

const Counters& Server::counters() const {
  return impl_->counters;
}

}  // namespace netkit::datagram
