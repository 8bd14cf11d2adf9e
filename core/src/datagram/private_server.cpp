#include "datagram/private_peer.hpp"
#include "datagram/private_strangers.hpp"
#include "datagram/wire.hpp"
#include "tls/key_refusals.hpp"
#include "util/indexed_heap.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/datagram/private_server.hpp>
#include <netkit/net/source_limits.hpp>

namespace netkit::datagram {
namespace {

using Peer = PrivatePeer;

// What a client in clear, or one with another key, is told while it may still be right.
constexpr Duration kPatience = std::chrono::seconds(2);
constexpr std::size_t kNone = SIZE_MAX;
// A client may be started anew a few times in a row; each handshake costs an exchange of keys.
constexpr unsigned kMostBegun = 8;

}  // namespace

struct PrivateServer::Impl {
  Impl(Options given, const Random& random, Driver::Handler& to, Handler& owner)
      : options(std::move(given)),
        inner(to),
        handler(owner),
        context(options.keys ? DtlsContext::make() : nullptr),
        find_key([this](std::string_view name) { return options.keys->find(name); }),
        strangers(replies, options.max_replies, options.stray_rate, random),
        shares(options.max_handshakes) {
    names.emplace_back();
  }

  // What comes.
  void on_clear(const Path& from, std::string_view datagram, TimePoint now);
  void on_keyless(const Path& from, std::string_view datagram);
  void on_client_hello(const Path& from, std::string_view datagram, const ClientHello& hello,
                       TimePoint now);
  void begin(const Path& from, std::string_view datagram, const ClientHello& hello, TimePoint now);
  void on_records(const Path& from, std::string_view datagram, TimePoint now);
  void feed(std::size_t index, std::string_view datagram, TimePoint now);
  void judge(std::size_t index, std::string_view datagram, TimePoint now);
  void on_record(std::size_t index, const Path& from, const DtlsRecord& record, TimePoint now);
  void promote(std::size_t index, TimePoint now);
  void refuse(const Endpoint& peer, std::string_view why);

  // Peers.
  std::size_t find(const Endpoint& peer) const {
    const auto found = by_address.find(peer);
    return found == by_address.end() ? kNone : found->second;
  }
  std::size_t make(const Path& path, TimePoint now);
  void forget(std::size_t index);
  void end_handshake(Peer& peer);
  TimePoint deadline(const Peer& peer) const;
  void watch(std::size_t index);
  void check(std::size_t index, TimePoint now);
  std::uint32_t owner_of(const std::string& identity);

  // What goes.
  void reply(const Path& to, std::string_view datagram);
  void send(const Path& to, const DtlsHandshake::Datagrams& flight);
  void protect(const OutputQueue::Item& item, OutputQueue& queue);
  void bury();

  Options options;
  Driver::Handler& inner;
  Handler& handler;
  std::shared_ptr<DtlsContext> context;
  DtlsContext::FindKey find_key;
  OutputQueue replies;
  PrivateStrangers strangers;
  SourceShares shares;  // of the handshakes
  PrivateCounters counters;
  std::deque<std::string> names;  // by owner
  std::map<std::string, std::uint32_t, std::less<>> owners;
  std::vector<std::unique_ptr<Peer>> peers;  // by index; null: free
  std::vector<std::size_t> free_indexes;
  std::unordered_map<Endpoint, std::size_t> by_address;
  IndexedHeap<TimePoint> deadlines;
  std::size_t shaking = 0;  // how many
  std::vector<std::size_t> leaving;
  OutputQueue clear;  // what `inner` says, before it is encrypted
  Endpoint last_to;   // whom the last of it was for
  Peer* last_peer = nullptr;
  std::string scratch;
  std::string content;
};

// ---- what comes

void PrivateServer::Impl::refuse(const Endpoint& peer, std::string_view why) {
  ++counters.refused;
  handler.on_refused(peer, why);
}

void PrivateServer::Impl::on_keyless(const Path& from, std::string_view datagram) {
  const auto hello = decode_client_hello(datagram);
  if (!hello) return;
  strangers.has_no_keys(from, datagram, *hello);
  refuse(from.peer, "it requests encryption, but this server has no keys (--psk-file)");
}

void PrivateServer::Impl::on_clear(const Path& from, std::string_view datagram, TimePoint now) {
  if (!is_native(datagram)) {
    if (options.plain) return inner.on_datagram(from, datagram, now);
    strangers.needs_key_for_text(from, datagram, now);
    return refuse(from.peer, "it uses the plain dialect, but this server requires a key (--plain)");
  }
  if (classify(datagram) != Class::known || type_of(datagram) != Type::hello) return;
  strangers.needs_key(from, datagram);
  refuse(from.peer, key_refusal::in_clear());
}

void PrivateServer::Impl::on_client_hello(const Path& from, std::string_view datagram,
                                          const ClientHello& hello, TimePoint now) {
  const std::size_t index = find(from.peer);
  if (index != kNone) {
    const Peer& peer = *peers[index];
    if (peer.shaking && !hello.cookie.empty() && peer.shaking->random == hello.random) {
      return feed(index, datagram, now);
    }
    if (peer.records && peer.random == hello.random) return;  // a late duplicate
  }
  if (strangers.is_there(from, datagram, hello, now)) begin(from, datagram, hello, now);
}

// What is there already goes on until this one has proved itself.
void PrivateServer::Impl::begin(const Path& from, std::string_view datagram,
                                const ClientHello& hello, TimePoint now) {
  std::size_t index = find(from.peer);
  if (index == kNone && by_address.size() >= options.max_peers) {
    return refuse(from.peer, "there are too many sessions");
  }
  const bool again = index != kNone && peers[index]->shaking;
  const unsigned begun = again ? peers[index]->shaking->begun : 0;
  if (begun >= kMostBegun) return refuse(from.peer, "it begins one handshake after the other");
  if (!again && (shaking >= options.max_handshakes || !shares.take(from.peer.address()))) {
    return refuse(from.peer, "too many handshakes at once");
  }
  DtlsHandshake::Datagrams flight;
  auto handshake = context->accept(datagram, find_key, flight);
  if (!handshake || handshake->state() == DtlsHandshake::State::failed) {
    if (!again) shares.give_back(from.peer.address());
    send(from, flight);
    return refuse(from.peer, key_refusal::kNoCipher);
  }
  if (index == kNone) index = make(from, now);
  Peer& peer = *peers[index];
  if (!again) ++shaking;
  peer.shaking = std::make_unique<Peer::Shaking>();
  peer.shaking->handshake = std::move(handshake);
  peer.shaking->begun = begun + 1;
  peer.shaking->random = hello.random;
  peer.shaking->first = hello.record;
  peer.shaking->flight.start(now);
  peer.shaking->give_up = now + options.handshake_timeout;
  peer.path.local = from.local;
  send(peer.path, flight);
  watch(index);
}

void PrivateServer::Impl::on_records(const Path& from, std::string_view datagram, TimePoint now) {
  const std::size_t index = find(from.peer);
  std::string_view rest = datagram;
  auto record = take_record(rest);
  if (!record) return;
  if (index == kNone) return strangers.is_unknown(from, datagram, *record, now);
  if (peers[index]->leaving) return;
  if (record->type == RecordType::alert && record->epoch == 0) return;  // anybody may say so
  if (record->type == RecordType::handshake || record->epoch == 0) {
    const auto& shaken = peers[index]->shaking;
    if (shaken && is_of_handshake(*record, shaken->first)) feed(index, datagram, now);
    return;
  }
  for (; record && peers[index]; record = take_record(rest)) {
    // What the handshake has encrypted says nothing here, and whoever saw it can send it again.
    if (record->type != RecordType::handshake) on_record(index, from, *record, now);
  }
}

void PrivateServer::Impl::feed(std::size_t index, std::string_view datagram, TimePoint now) {
  Peer::Shaking& shaken = *peers[index]->shaking;
  DtlsHandshake::Datagrams flight;
  shaken.handshake->on_datagram(datagram, flight);
  send(peers[index]->path, flight);
  if (!flight.empty()) shaken.flight.start(now);
  judge(index, datagram, now);
}

void PrivateServer::Impl::judge(std::size_t index, std::string_view datagram, TimePoint now) {
  Peer& peer = *peers[index];
  Peer::Shaking& shaken = *peer.shaking;
  DtlsHandshake& handshake = *shaken.handshake;
  const bool claims = !handshake.identity().empty();
  if (handshake.state() == DtlsHandshake::State::failed) {
    const std::string why = claims && !handshake.identity_known()
                                ? key_refusal::unknown_identity(handshake.identity())
                                : fmt::format("its handshake failed: {}", handshake.reason());
    refuse(peer.path.peer, why);
    end_handshake(peer);
    return watch(index);
  }
  if (handshake.state() == DtlsHandshake::State::done) {
    shaken.flight.stop();
    if (shaken.records) return;
    const DtlsSecrets& secrets = handshake.secrets();
    shaken.records = std::make_unique<DtlsRecords>(secrets.server, secrets.client);
    if (!handshake.resumed()) return;
    ++counters.resumed;
    return promote(index, now);  // it has had the last word
  }
  watch(index);
  // The last flight of a client with another key cannot be read, and DTLS does not report that. A
  // single unreadable one may be forged, or have arrived out of order.
  bool last_flight = false;
  for (std::string_view rest = datagram; const auto record = take_record(rest);) {
    last_flight = last_flight || (record->epoch == 1 && record->type == RecordType::handshake);
  }
  if (!last_flight || !claims || ++shaken.not_authentic < 2) return;
  shaken.give_up = std::min(shaken.give_up, now + kPatience);
  encode_alert(Alert::decrypt_error, shaken.first + kAlertNumbers + shaken.not_authentic, scratch);
  reply(peer.path, scratch);
  watch(index);
}

void PrivateServer::Impl::on_record(std::size_t index, const Path& from, const DtlsRecord& record,
                                    TimePoint now) {
  Peer& peer = *peers[index];
  bool authentic = false;
  if (peer.shaking && peer.shaking->records) {
    authentic = peer.shaking->records->open(record, content);
    if (authentic) promote(index, now);
  }
  authentic = authentic || (peer.records && peer.records->open(record, content));
  if (!authentic) {
    ++counters.not_authentic;
    return;
  }
  peer.heard = now;
  if (record.type == RecordType::application_data) {
    Path path = from;
    path.owner = peer.path.owner;
    path.proved = peer.path.proved;
    inner.on_datagram(path, content, now);
  } else if (record.type == RecordType::alert && content.size() == 2 &&
             content[1] == static_cast<char>(Alert::close_notify)) {
    forget(index);
  }
}

// The client has proved that it has all it needs: whatever was before at this address is over.
void PrivateServer::Impl::promote(std::size_t index, TimePoint now) {
  Peer& peer = *peers[index];
  peer.path.owner = owner_of(peer.shaking->handshake->identity());
  peer.records = std::move(peer.shaking->records);
  peer.random = peer.shaking->random;
  peer.heard = now;
  end_handshake(peer);
  peer.path.proved = static_cast<std::uint32_t>(++counters.handshakes);
  watch(index);
}

// ---- peers

std::size_t PrivateServer::Impl::make(const Path& path, TimePoint now) {
  if (free_indexes.empty()) {
    free_indexes.push_back(peers.size());
    peers.emplace_back();
  }
  const std::size_t index = free_indexes.back();
  free_indexes.pop_back();
  peers[index] = std::make_unique<Peer>();
  peers[index]->path = path;
  peers[index]->heard = now;
  by_address.emplace(path.peer, index);
  return index;
}

void PrivateServer::Impl::forget(std::size_t index) {
  Peer& peer = *peers[index];
  if (peer.shaking) end_handshake(peer);
  if (last_peer == &peer) last_peer = nullptr;
  by_address.erase(peer.path.peer);
  deadlines.remove(static_cast<std::uint32_t>(index));
  free_indexes.push_back(index);
  peers[index].reset();
}

void PrivateServer::Impl::end_handshake(Peer& peer) {
  shares.give_back(peer.path.peer.address());
  --shaking;
  peer.shaking.reset();
}

TimePoint PrivateServer::Impl::deadline(const Peer& peer) const {
  const TimePoint idle = peer.records ? saturating_add(peer.heard, options.idle) : TimePoint::max();
  if (!peer.shaking) return peer.records ? idle : TimePoint::min();
  return std::min({peer.shaking->flight.due(), peer.shaking->give_up, idle});
}

void PrivateServer::Impl::watch(std::size_t index) {
  deadlines.lower(static_cast<std::uint32_t>(index), deadline(*peers[index]));
}

void PrivateServer::Impl::check(std::size_t index, TimePoint now) {
  Peer& peer = *peers[index];
  if (peer.shaking && peer.shaking->give_up <= now && peer.shaking->records) {
    promote(index, now);  // it has nothing to say yet
  } else if (peer.shaking && peer.shaking->give_up <= now) {
    const DtlsHandshake& handshake = *peer.shaking->handshake;
    refuse(peer.path.peer, peer.shaking->not_authentic >= 2
                               ? key_refusal::wrong_key(handshake.identity())
                               : std::string("its handshake did not finish"));
    end_handshake(peer);
  }
  if (peer.shaking && peer.shaking->flight.due() <= now) {
    DtlsHandshake::Datagrams flight;
    peer.shaking->handshake->on_timer(flight);
    send(peer.path, flight);
    peer.shaking->flight.again(now);
  }
  if (!peer.shaking && (!peer.records || saturating_add(peer.heard, options.idle) <= now)) {
    return forget(index);
  }
  const TimePoint next = std::max(deadline(peer), now + std::chrono::microseconds(1));
  deadlines.set(static_cast<std::uint32_t>(index), next);
}

std::uint32_t PrivateServer::Impl::owner_of(const std::string& identity) {
  const auto [at, is_new] = owners.try_emplace(identity, static_cast<std::uint32_t>(names.size()));
  if (is_new) names.push_back(identity);
  return at->second;
}

// ---- what goes

void PrivateServer::Impl::reply(const Path& to, std::string_view datagram) {
  if (replies.size() < options.max_replies) replies.add(to, datagram);
}

void PrivateServer::Impl::send(const Path& to, const DtlsHandshake::Datagrams& flight) {
  for (const std::string& datagram : flight) replies.add(to, datagram);
}

void PrivateServer::Impl::protect(const OutputQueue::Item& item, OutputQueue& queue) {
  if (item.to->owner == 0) return queue.add_kept(*item.to, item.body, item.head);
  if (last_peer == nullptr || !(last_to == item.to->peer)) {
    const std::size_t index = find(item.to->peer);
    last_peer = index == kNone ? nullptr : peers[index].get();
    last_to = item.to->peer;
  }
  // Another may have come to that address meanwhile.
  if (last_peer == nullptr || last_peer->path.owner != item.to->owner) return;
  if (last_peer->records->exhausted()) return;
  char* const at = queue.add_room(*item.to, item.size() + DtlsRecords::kOverhead);
  queue.set_ect(item.ect);
  last_peer->records->seal(RecordType::application_data, item.head, item.body, at);
}

void PrivateServer::Impl::bury() {
  for (const std::size_t index : std::exchange(leaving, {})) {
    if (peers[index] && peers[index]->leaving) forget(index);
  }
}

// ---- the server

PrivateServer::PrivateServer(Options options, const Random& random, Driver::Handler& inner,
                             Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), random, inner, handler)) {}

PrivateServer::~PrivateServer() = default;

void PrivateServer::set_keys(PskKeys keys) {
  Impl& impl = *impl_;
  const PskKeys before = std::exchange(*impl.options.keys, std::move(keys));
  const auto is_revoked = [&](const std::string& name) {
    return !have_same_key(before, *impl.options.keys, name);
  };
  std::vector<std::uint32_t> revoked;
  for (std::size_t index = 0; index < impl.peers.size(); ++index) {
    Peer* const peer = impl.peers[index].get();
    if (peer == nullptr) continue;
    const bool claims = peer->shaking && !peer->shaking->handshake->identity().empty();
    if (claims && is_revoked(peer->shaking->handshake->identity())) {
      impl.end_handshake(*peer);
      impl.watch(index);
    }
    if (!peer->records || !is_revoked(impl.names[peer->path.owner])) continue;
    peer->leaving = true;
    impl.leaving.push_back(index);
    if (std::ranges::find(revoked, peer->path.owner) == revoked.end()) {
      revoked.push_back(peer->path.owner);
    }
  }
  for (const std::uint32_t owner : revoked) impl.handler.on_revoked(owner);
}

const std::string& PrivateServer::identity(std::uint32_t owner) const {
  return impl_->names[owner];
}

bool PrivateServer::has_keys() const {
  return impl_->options.keys.has_value();
}

bool PrivateServer::is_identity(std::string_view name) const {
  return has_keys() && impl_->options.keys->find(name) != nullptr;
}

std::size_t PrivateServer::peers() const {
  return impl_->by_address.size();
}

const PrivateCounters& PrivateServer::counters() const {
  return impl_->counters;
}

void PrivateServer::on_datagram(const Path& from, std::string_view datagram, TimePoint now) {
  const bool dtls = is_dtls(datagram);
  if (!has_keys()) {
    return dtls ? impl_->on_keyless(from, datagram) : impl_->inner.on_datagram(from, datagram, now);
  }
  if (!dtls) return impl_->on_clear(from, datagram, now);
  if (const auto hello = decode_client_hello(datagram)) {
    return impl_->on_client_hello(from, datagram, *hello, now);
  }
  impl_->on_records(from, datagram, now);
}

void PrivateServer::tick(TimePoint now) {
  while (!impl_->deadlines.empty() && impl_->deadlines.top() <= now) {
    impl_->check(impl_->deadlines.top_index(), now);
  }
  if (impl_->inner.next_deadline() <= now) impl_->inner.tick(now);
}

TimePoint PrivateServer::next_deadline() const {
  const TimePoint inner = impl_->inner.next_deadline();
  return impl_->deadlines.empty() ? inner : std::min(inner, impl_->deadlines.top());
}

bool PrivateServer::drain(OutputQueue& queue, TimePoint now) {
  for (const OutputQueue::Item& item : impl_->replies.items()) queue.add(*item.to, item.head);
  impl_->replies.clear();
  if (!has_keys()) return impl_->inner.drain(queue, now);
  impl_->clear.clear();
  const bool more = impl_->inner.drain(impl_->clear, now);
  for (const OutputQueue::Item& item : impl_->clear.items()) impl_->protect(item, queue);
  if (!more) impl_->bury();
  return more;
}

void PrivateServer::on_refused(const Endpoint& to, int error) {
  impl_->inner.on_refused(to, error);
}

void PrivateServer::on_unreachable(const Endpoint& to) {
  impl_->inner.on_unreachable(to);
}

}  // namespace netkit::datagram
