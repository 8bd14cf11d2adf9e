// Finds out when the other end of a UDP exchange is itself a server that answers, so that two of
// them do not talk to each other for ever because of one forged datagram.
//
// A client with the same payload each time, that waits for the answer before it sends again, looks
// just like an echo server from here, and no answer may be withheld from it. What tells them apart:
// a server answers everybody. So a peer that keeps sending what it was sent is asked once more,
// from a separate port (the probe). Only a server answers there; a client's kernel refuses it, or
// the client sees one more copy of the answer it is getting anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Pure: time is an argument, which must not go back. Fixed memory, O(1) a datagram, and clients
// whose payloads differ (by a number, by a time) cost a hash and one look-up. [one thread]
class NETKIT_API LoopGuard {
 public:
  struct Options {
    // Answers differ from what they answer (a `--reply` of its own), so every datagram of a peer
    // may be an answer to ours; otherwise only one that equals what was sent to it before.
    bool any_content = false;
    std::uint32_t probe_after = 1000;                // such datagrams, then after twice as many
    Duration streak_ends = std::chrono::seconds(5);  // without one: counting starts over
    Duration silence = std::chrono::seconds(60);     // a server found is answered again after this
    std::size_t peers = 1024;                        // watched at once; a power of two
    std::size_t contents = 16'384;                   // remembered at once; a power of two
    std::uint64_t seed = 0;                          // random, so that nobody can choose collisions
  };
  enum class Verdict : std::uint8_t {
    answer,
    probe,  // answer, and send the answer from the probing port as well
    drop,   // the peer is known to answer answers
  };

  explicit LoopGuard(const Options& options);

  // `count` datagrams came together (a super-packet), the first of which is `datagram`.
  Verdict on_datagram(const Endpoint& peer, std::string_view datagram, std::size_t count,
                      TimePoint now);
  // Something came to the probing port. True when that proves a loop: `peer` had been probed and
  // was not known yet.
  bool on_probe_answer(const Endpoint& peer, TimePoint now);

  // No peer is being probed any more: the probing port may be closed.
  bool probes_pending(TimePoint now) const { return now < probing_until_; }
  std::uint64_t loops() const { return loops_; }

  // How long an answer to a probe is waited for.
  static constexpr Duration kProbeWait = std::chrono::seconds(2);

 private:
  static constexpr std::size_t kRow = 4;
  struct Peer {
    Endpoint endpoint;
    std::uint32_t streak = 0;
    std::uint32_t next_probe = 0;
    TimePoint last = TimePoint::min();  // min: free
    TimePoint probed = TimePoint::min();
    bool looping = false;
  };

  bool seen_before(std::uint64_t peer_hash, std::string_view datagram);
  Peer* find(const Endpoint& peer, std::uint64_t peer_hash);
  Peer& find_or_replace(const Endpoint& peer, std::uint64_t peer_hash);
  std::uint64_t peer_hash(const Endpoint& peer) const;
  Verdict count_repeat(Peer& peer, std::size_t count, TimePoint now);

  Options options_;
  std::vector<std::uint32_t> contents_;  // a tag for (peer, content) at its hash
  std::vector<Peer> peers_;              // rows of kRow; made with the first suspicion
  TimePoint probing_until_ = TimePoint::min();
  std::uint64_t loops_ = 0;
};

}  // namespace netkit
