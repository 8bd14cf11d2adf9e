// What is known of those who have no session: the proof that one is where it sends from, the
// sessions that are over, and how many answers there may be.
#pragma once

#include "datagram/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <netkit/datagram/options.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// A client's attempt to connect.
struct AttemptKey {
  Endpoint peer;
  std::uint64_t nonce = 0;
  friend bool operator==(const AttemptKey&, const AttemptKey&) = default;
  struct Hash {
    std::size_t operator()(const AttemptKey& key) const noexcept {
      return key.peer.hash() ^ static_cast<std::size_t>(key.nonce * 0x9e3779b97f4a7c15u);
    }
  };
};

// A cookie is the number of the time slot it was made in (4 bytes) and the first 16 bytes of
// HMAC-SHA-256 (RFC 2104) under that slot's secret over slot, nonce, family, port, address and
// zone. Secrets are random, one per slot of Options::cookie_lifetime, and the last two are known;
// they change when the jar is asked, so an idle server needs no timer.
class NETKIT_API CookieJar {
 public:
  CookieJar(Duration lifetime, Random random);
  ~CookieJar();
  Cookie make(const Endpoint& peer, std::uint64_t nonce, TimePoint now);
  bool verify(const Cookie& cookie, const Endpoint& peer, std::uint64_t nonce, TimePoint now);
  // The beginning of a cookie, where a whole one would be longer than what it answers.
  MoveToken make_token(const Endpoint& peer, std::uint64_t session, TimePoint now);
  bool verify(const MoveToken& token, const Endpoint& peer, std::uint64_t session, TimePoint now);

 private:
  struct Mac;
  void turn(TimePoint now);
  bool verify(std::string_view begin, const Endpoint& peer, std::uint64_t nonce, TimePoint now);
  Cookie compute(Mac& mac, std::uint32_t slot, const Endpoint& peer, std::uint64_t nonce) const;

  Duration lifetime_;
  Random random_;
  std::int64_t slot_ = -1;  // of current_
  std::unique_ptr<Mac> current_;
  std::unique_ptr<Mac> previous_;  // null: none
};

// Sessions that are over, for a while: late duplicates must neither begin them anew nor be taken
// for those of a stranger. Keeps the last `limit`.
class EndedSessions {
 public:
  // `reset`: is not remembered, so that RESET is the answer.
  enum class Answer : std::uint8_t { nothing, ack, bye, reset };
  struct Entry {
    AttemptKey attempt;
    Answer answer = Answer::nothing;
    Header header;  // of the answer, as the session stood
    ByeCode code = ByeCode::bye;
  };

  explicit EndedSessions(std::size_t limit) : limit_(limit) {}

  void add(const Entry& entry) {
    if (limit_ == 0) return;
    if (order_.size() >= limit_) {
      attempts_.erase(by_id_.at(order_.front()).attempt);
      by_id_.erase(order_.front());
      order_.pop_front();
    }
    const std::uint64_t id = entry.header.session;
    if (!by_id_.emplace(id, entry).second) return;
    attempts_.insert(entry.attempt);
    order_.push_back(id);
  }
  const Entry* find(std::uint64_t id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &found->second;
  }
  bool contains(const AttemptKey& attempt) const { return attempts_.contains(attempt); }

 private:
  std::size_t limit_;
  std::deque<std::uint64_t> order_;
  std::unordered_map<std::uint64_t, Entry> by_id_;
  std::unordered_set<AttemptKey, AttemptKey::Hash> attempts_;
};

// At most `rate` in any second that begins with an allowed one.
class RateLimit {
 public:
  explicit RateLimit(std::size_t rate) : rate_(rate) {}
  bool allow(TimePoint now) {
    if (count_ == 0 || now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      count_ = 0;
    }
    if (count_ >= rate_) return false;
    ++count_;
    return true;
  }

 private:
  std::size_t rate_;
  std::size_t count_ = 0;
  TimePoint since_{};
};

}  // namespace netkit::datagram
