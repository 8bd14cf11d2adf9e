// Sessions that go on at another address.
#include "datagram/moving.hpp"
#include "datagram/server_impl.hpp"

namespace netkit::datagram {
namespace {

// To one address, as many sessions as there may be that seem to come from there: some at once, as
// when those behind one NAT move together, then so many a second.
constexpr double kChallengesAtOnce = 500;
constexpr double kChallengesPerSecond = 100;
constexpr std::size_t kChallenged = 4096;  // addresses that are remembered

}  // namespace

// A datagram that is proved to be the owner's moves the session, unless it is older than the last
// one that did.
Server::Impl::Peer* Server::Impl::find(std::uint64_t id, const Path& from) {
  const auto found = by_id.find(id);
  if (found == by_id.end()) return nullptr;
  Peer& peer = *found->second;
  if (peer.path.owner != from.owner) return nullptr;
  if (from.proved > peer.path.proved) move(peer, from);
  if (peer.leaving) return nullptr;  // closed by what it was told
  return peer.path.peer == from.peer || from.owner != 0 ? &peer : nullptr;
}

void Server::Impl::move(Peer& peer, const Path& to) {
  const bool elsewhere = !(peer.path.peer == to.peer);
  const bool other_path = network_of(peer.path.peer) != network_of(to.peer);
  by_attempt.erase(&peer);
  leave_network(peer);
  peer.path = to;
  by_attempt.insert(&peer);
  if (peer.session.sending().congestion() != nullptr) {
    if (other_path) peer.session.sending().change_path(known_path(to.peer));
    enter_network(peer);
  }
  if (elsewhere && !peer.leaving) handler.on_moved(peer.ref, to.peer);
}

void Server::Impl::enter_network(const Peer& peer) {
  Network& network = by_network[network_of(peer.path.peer)];
  if (!network.group) network.group = peer.session.sending().congestion()->path().group;
  ++network.sessions;
  network.newest = peer.ref.index;
}

void Server::Impl::leave_network(const Peer& peer) {
  if (peer.session.sending().congestion() == nullptr) return;
  const auto found = by_network.find(network_of(peer.path.peer));
  Network& network = found->second;
  if (network.newest == peer.ref.index) network.newest = Network::kGone;
  if (--network.sessions == 0) by_network.erase(found);
}

// The challenged address need not be that of the sender: it gets few challenges, and no more bytes
// than were sent. On loopback it belongs to this machine.
bool Server::Impl::may_challenge(const IpAddress& address, TimePoint at) {
  if (!challenged) {
    challenged.emplace(SourceRateLimiter::Options{.per_second = kChallengesPerSecond,
                                                  .burst = kChallengesAtOnce,
                                                  .sources = kChallenged,
                                                  .seed = random()});
  }
  return (address.is_loopback() || challenged->allow(address, at)) && challenges.allow(at);
}

// A datagram that seems to belong to a session in clear text came from another address: from the
// client, or from somebody who saw it on its way. True: its sender is challenged, and nothing is
// done until that is answered.
bool Server::Impl::challenge(const Path& from, const Header& header, TimePoint at) {
  const auto found = by_id.find(header.session);
  if (found == by_id.end() || found->second->leaving) return false;
  if (found->second->path.owner != 0 || from.owner != 0 || header.type == Type::bye) return true;
  if (!may_challenge(from.peer.address(), at)) {
    ++counters.replies_dropped;
    return true;
  }
  encode(Challenge{header.session, cookies.make_token(from.peer, header.session, at)}, scratch);
  reply(from, scratch);
  return true;
}

void Server::Impl::on_move(const Path& from, std::string_view datagram, TimePoint at) {
  const auto move_to = decode_move(datagram);
  const auto found = move_to ? by_id.find(move_to->session) : by_id.end();
  if (found == by_id.end()) {
    counters.malformed += !move_to;
    return;
  }
  Peer& peer = *found->second;
  // A recorded one has a lower count than what has come since.
  const bool is_news = !(peer.path.peer == from.peer) && move_to->count > peer.moves;
  if (peer.leaving || peer.path.owner != 0 || from.owner != 0 || !is_news) return;
  if (!cookies.verify(move_to->token, from.peer, move_to->session, at) ||
      !proves(*move_to, peer.key)) {
    ++counters.bad_cookies;
    return;
  }
  peer.moves = move_to->count;
  move(peer, from);
  if (peer.leaving || peer.accept) return;
  peer.session.ask_for_life();  // what the client waits for may have gone to where it was
  mark_dirty(peer);
}

}  // namespace netkit::datagram
