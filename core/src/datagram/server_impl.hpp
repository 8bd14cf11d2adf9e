// The state of a Server. server_handshake.cpp has what happens before there is a session,
// server.cpp the rest.
#pragma once

#include "datagram/session.hpp"
#include "datagram/strangers.hpp"
#include "util/indexed_heap.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <netkit/datagram/server.hpp>
#include <netkit/net/source_limits.hpp>

namespace netkit::datagram {

struct Server::Impl {
  struct Peer {
    Peer(const Options& options, Counters& counters, const Session::Start& start, TimePoint now)
        : session(options, counters, start, now) {}
    Session session;
    Path path;
    std::uint64_t nonce = 0;  // of its CONNECT
    SessionKey key{};
    std::uint32_t moves = 0;  // Move::count of the last one
    AttemptKey attempt() const { return {path.peer, nonce}; }
    SessionRef ref;
    std::unique_ptr<std::string> accept;  // the ACCEPT, until the client has used the session
    TimePoint began{};
    bool dirty = false;  // is in Impl::dirty
    bool send_accept = false;
    bool asked_again = false;  // the CONNECT came more than once
    bool full = false;         // counted in full_sessions
    bool leaving = false;      // in on_left, or closed
  };

  // Peers by their attempts, which are found without a peer as well.
  struct AttemptHash {
    using is_transparent = void;
    std::size_t operator()(const AttemptKey& key) const noexcept { return AttemptKey::Hash{}(key); }
    std::size_t operator()(const Peer* peer) const noexcept { return (*this)(peer->attempt()); }
  };
  struct SameAttempt {
    using is_transparent = void;
    static AttemptKey key(const Peer* peer) { return peer->attempt(); }
    static AttemptKey key(const AttemptKey& key) { return key; }
    bool operator()(const auto& a, const auto& b) const { return key(a) == key(b); }
  };

  Impl(const Options& given, Random source, Handler& owner);

  // Handshake: server_handshake.cpp.
  void on_hello(const Path& from, std::string_view datagram, TimePoint now);
  void on_connect(const Path& from, std::string_view datagram, TimePoint now);
  void on_other_version(const Path& from, std::string_view datagram, TimePoint now);
  void on_stray(const Path& from, const Header& header, TimePoint now);
  Peer& make_peer(const Path& from, const Connect& connect, TimePoint now);
  void reply_cookie(const Path& to, std::uint64_t nonce, TimePoint now);
  void reply_reject(const Path& to, std::uint64_t nonce, std::uint16_t code, std::string_view text);
  // Answers that need no session: Options::max_replies bounds how many wait.
  void reply(const Path& to, std::string_view datagram);
  void queue(const Path& to, std::string_view datagram);

  // Sessions.
  Peer* find(SessionRef ref) const;
  Peer* find(std::uint64_t id, const Path& from);
  void move(Peer& peer, const Path& to);
  void enter_network(const Peer& peer);
  void leave_network(const Peer& peer);
  bool challenge(const Path& from, const Header& header, TimePoint now);
  bool may_challenge(const IpAddress& address, TimePoint now);
  void on_move(const Path& from, std::string_view datagram, TimePoint now);
  void on_session_datagram(const Path& from, std::string_view datagram, TimePoint now);
  void on_reset(const Path& from, std::uint64_t id, TimePoint now);
  void on_confirmed(Peer& peer, TimePoint now);
  void settle(Peer& peer, TimePoint now);
  void check_timer(Peer& peer, TimePoint now);
  bool drain_peer(Peer& peer, OutputQueue& queue, TimePoint now, std::size_t limit);
  TimePoint deadline(const Peer& peer) const;
  void mark_dirty(Peer& peer);
  void forget_drained();
  void update_full(Peer& peer);
  void leave(Peer& peer, LeftReason reason, std::string_view text, TimePoint now);
  void forget(Peer& peer, EndedSessions::Answer answer, TimePoint now, ByeCode code = ByeCode::bye);
  void finish(Peer& peer, std::string_view text, TimePoint now);
  // Sessions with one address (of IPv6: one /64) go the same way, as a rule.
  static std::uint64_t network_of(const Endpoint& peer);
  CongestionController::Path known_path(const Endpoint& peer) const;

  Options options;
  Counters counters;
  Random random;
  Handler& handler;
  CookieJar cookies;
  EndedSessions ended;
  RateLimit strays;
  // Apart from them, so that no flood of what anybody can send keeps a session from moving.
  RateLimit challenges;
  std::optional<SourceRateLimiter> challenged;  // from the first on
  std::vector<std::unique_ptr<Peer>> peers;     // by index; null: free
  std::vector<std::uint32_t> generations;
  std::vector<std::uint32_t> free_indexes;
  std::unordered_map<std::uint64_t, Peer*> by_id;
  std::unordered_set<Peer*, AttemptHash, SameAttempt> by_attempt;
  // Those that are not of this machine.
  struct Network {
    static constexpr std::uint32_t kGone = UINT32_MAX;
    std::shared_ptr<PathGroup> group{};
    std::uint32_t sessions = 0;
    std::uint32_t newest = kGone;  // its index
  };
  std::unordered_map<std::uint64_t, Network> by_network;
  std::vector<std::unique_ptr<Peer>> gone;  // until no event of theirs can be running
  IndexedHeap<TimePoint> deadlines;
  std::vector<std::uint32_t> dirty;
  std::size_t dirty_begin = 0;
  std::size_t full_sessions = 0;
  std::uint64_t full_changes = 0;
  std::size_t unconfirmed = 0;  // peers with `accept`
  OutputQueue replies;
  std::string scratch;
  TimePoint now{};  // of the call at hand
};

}  // namespace netkit::datagram
