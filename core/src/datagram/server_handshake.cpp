#include "datagram/server_impl.hpp"
#include "datagram/wire.hpp"

#include <algorithm>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {
namespace {

std::uint32_t lease_on_wire(Duration lease) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(lease).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 1, 0xffffffff));
}

}  // namespace

void Server::Impl::reply(const Path& to, std::string_view datagram) {
  if (replies.size() >= options.max_replies) {
    ++counters.replies_dropped;
    return;
  }
  queue(to, datagram);
}

void Server::Impl::queue(const Path& to, std::string_view datagram) {
  replies.add(to, datagram);
  ++counters.datagrams_out;
  counters.bytes_out += datagram.size();
}

void Server::Impl::reply_cookie(const Path& to, std::uint64_t nonce, TimePoint at) {
  encode(CookieReply{nonce, cookies.make(to.peer, nonce, at)}, scratch);
  reply(to, scratch);
  ++counters.cookies_sent;
}

void Server::Impl::reply_reject(const Path& to, std::uint64_t nonce, std::uint16_t code,
                                std::string_view text) {
  encode(Reject{nonce, code, text}, scratch);
  reply(to, scratch);
}

void Server::Impl::on_hello(const Path& from, std::string_view datagram, TimePoint at) {
  const auto hello = decode_hello(datagram);
  if (!hello) return;
  reply_cookie(from, hello->nonce, at);
}

void Server::Impl::on_connect(const Path& from, std::string_view datagram, TimePoint at) {
  const auto connect = decode_connect(datagram);
  if (!connect) {
    ++counters.malformed;
    return;
  }
  // A stale cookie is a fresh one's occasion; a CONNECT is longer than a COOKIE.
  if (!cookies.verify(connect->cookie, from.peer, connect->nonce, at)) {
    ++counters.bad_cookies;
    reply_cookie(from, connect->nonce, at);
    return;
  }
  const AttemptKey attempt{from.peer, connect->nonce};
  if (const auto found = by_attempt.find(attempt); found != by_attempt.end()) {
    Peer& peer = **found;
    peer.asked_again = true;
    peer.send_accept = peer.accept != nullptr;
    mark_dirty(peer);
    return;
  }
  if (ended.contains(attempt)) {
    ++counters.replayed;
    return;
  }
  if (by_id.size() >= options.max_sessions) {
    ++counters.full;
    reply_reject(from, connect->nonce, static_cast<std::uint16_t>(RejectCode::full), "full");
    return;
  }
  Peer& peer = make_peer(from, *connect, at);
  const Verdict verdict = handler.on_connect(peer.ref, from.peer, connect->payload);
  if (peer.leaving) return;
  if (!verdict.accepted) {
    ++counters.rejected;
    reply_reject(from, connect->nonce, verdict.code, verdict.text);
    peer.leaving = true;
    forget(peer, EndedSessions::Answer::reset, at);
    return;
  }
  ++counters.accepted;
  Accept accept;
  accept.nonce = connect->nonce;
  accept.session = peer.session.id();
  accept.first_seq = peer.session.sending().next_seq();
  accept.window = peer.session.receiving().window();
  accept.lease_ms = lease_on_wire(options.lease);
  accept.key = peer.key;
  accept.payload = verdict.text;
  peer.accept = std::make_unique<std::string>();
  ++unconfirmed;
  encode(accept, *peer.accept);
  peer.send_accept = true;
  mark_dirty(peer);
  deadlines.set(peer.ref.index, deadline(peer));
}

std::uint64_t Server::Impl::network_of(const Endpoint& peer) {
  const IpAddress address = peer.address();
  return address.is_v4() ? address.v4_network_order()
                         : big_endian::get<std::uint64_t>(
                               reinterpret_cast<const char*>(address.bytes().data()));
}

// A newcomer begins with what RFC 9002 allows, or with less where another has no more.
CongestionController::Path Server::Impl::known_path(const Endpoint& peer) const {
  const auto found = by_network.find(network_of(peer));
  if (found == by_network.end()) return {.group = std::make_shared<PathGroup>()};
  const Network& network = found->second;
  if (network.newest == Network::kGone) return {.group = network.group};
  const CongestionController* other = peers[network.newest]->session.sending().congestion();
  CongestionController::Path path = other->path();
  path.window = std::min(path.window, CongestionController::kInitialWindow);
  return path;
}

Server::Impl::Peer& Server::Impl::make_peer(const Path& from, const Connect& connect,
                                            TimePoint at) {
  Session::Start start;
  do {
    start.id = random();
  } while (by_id.contains(start.id));
  start.send_seq = static_cast<std::uint32_t>(random());
  start.receive_seq = connect.first_seq;
  start.peer_window = connect.window;
  start.lease = options.lease;
  start.local = from.peer.address().is_loopback();
  if (!start.local) start.path = known_path(from.peer);
  if (free_indexes.empty()) {
    free_indexes.push_back(static_cast<std::uint32_t>(peers.size()));
    peers.emplace_back();
    generations.push_back(0);
  }
  auto peer = std::make_unique<Peer>(options, counters, start, at);
  peer->path = from;
  peer->nonce = connect.nonce;
  big_endian::put(peer->key.data(), random());
  big_endian::put(peer->key.data() + 8, random());
  peer->began = at;
  peer->ref = {free_indexes.back(), generations[free_indexes.back()]};
  by_id.emplace(start.id, peer.get());
  by_attempt.insert(peer.get());
  free_indexes.pop_back();
  if (!start.local) enter_network(*peer);
  return *(peers[peer->ref.index] = std::move(peer));
}

void Server::Impl::on_other_version(const Path& from, std::string_view datagram, TimePoint at) {
  ++counters.bad_version;
  VersionReply answer;
  if (datagram.size() < 16) return;  // would be smaller than the answer
  if (!strays.allow(at)) {
    ++counters.replies_dropped;
    return;
  }
  answer.echo = key_of(datagram);
  encode(answer, scratch);
  reply(from, scratch);
}

// A DATA or ACK of no session: of one that is over, or from before a restart.
void Server::Impl::on_stray(const Path& from, const Header& header, TimePoint at) {
  if (header.type == Type::bye) return;
  const EndedSessions::Entry* entry = ended.find(header.session);
  const bool known = entry != nullptr && entry->attempt.peer == from.peer;
  if (!known) ++counters.unknown_session;
  const bool asks = header.type == Type::data || (header.flags & Header::kPing) != 0;
  if (known && (entry->answer == EndedSessions::Answer::nothing || !asks)) return;
  if (!strays.allow(at)) {
    ++counters.replies_dropped;
    return;
  }
  if (known) {
    scratch.assign(kHeaderSize, '\0');
    encode_header(entry->header, scratch.data());
    if (entry->answer == EndedSessions::Answer::bye) {
      scratch.push_back(static_cast<char>(entry->code));
    }
  } else {
    encode(Reset{header.session}, scratch);
  }
  reply(from, scratch);
}

}  // namespace netkit::datagram
