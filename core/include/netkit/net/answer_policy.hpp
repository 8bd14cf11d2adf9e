// Which sources a UDP server answers. They are easily forged, so a server that answers anyone is a
// weapon; all of netkit's servers use this policy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/loop_guard.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Whether `port` belongs to a service that answers any datagram, so that two of them can be made
// to answer each other: echo, daytime, chargen, qotd, time, DNS, NTP, SSDP, memcached. Any thread.
NETKIT_API bool is_answering_service(std::uint16_t port);

enum class Refusal : std::uint8_t {
  none,       // answer it
  port,       // from port 0, or the port of a service that answers anything
  own,        // from the server's own address and port
  broadcast,  // from or to a broadcast or multicast address, or from 0.0.0.0 or ::
  denied,     // --allow, --deny
  rate,       // more than --rate lets through
  loop,       // the source is known to answer answers
};
inline constexpr std::size_t kRefusals = 7;

// The name of the total that counts what was refused so: `dropped_rate`. Not for `none`. Any
// thread.
NETKIT_API std::string_view total_name(Refusal refusal);

// Pure but for what NetworkView asks. [one thread] Allocates nothing per datagram.
class NETKIT_API AnswerPolicy {
 public:
  // Whether to look for peers that answer answers (loop_guard.hpp).
  enum class Loops : std::uint8_t {
    ignore,       // answers are never taken for requests
    same_answer,  // an answer is what it answers, unchanged
    any_answer,   // it may be anything
  };
  // Which peers may use the plain dialect of a command that has two.
  enum class Plain : std::uint8_t { local, all, none };
  static Plain read_plain(std::string_view word);  // one of these words

  struct Options {
    bool any_source = false;  // nothing is refused: for servers that never answer by themselves
    bool any_port = false;    // the ports of services are answered, too; never port 0
    bool answers_broadcasts = false;  // what went to a broadcast or multicast address
    AccessList access{};
    double rate = 0;  // datagrams a second from one source; 0: no limit
    Loops loops = Loops::ignore;
    Plain plain = Plain::all;
    std::uint64_t seed = 0;  // random, so that nobody can choose what collides in its tables
  };
  // `local` is where the server is bound; addresses may be unspecified.
  AnswerPolicy(const Options& options, NetworkView networks, std::vector<Endpoint> local);

  struct Judgement {
    std::size_t allowed = 0;  // how many datagrams of the message, from its first, are answered
    Refusal refusal = Refusal::none;  // why the others may not
    bool probe = false;               // send the first answer from another port as well (UdpServer)
  };
  // Decides what to do with a message, and counts it. `now` must not go back.
  Judgement judge(const ReceivedMessage& message, TimePoint now);
  // The same for an address learned in another way. Not counted, and regardless of the rate.
  Refusal judge_source(const Endpoint& peer) const { return judge_source(peer, peer.address()); }
  // Whether this source may speak the plain dialect. Not counted.
  bool permits_plain(const Endpoint& peer) const;
  // Whether it is a broadcast or multicast address, from which no answer can be sent.
  bool is_shared(const IpAddress& address) const;

  // A datagram arrived at the probing port. True if it proves a loop that was not known yet.
  bool on_probe_answer(const Endpoint& peer, TimePoint now);

  // Datagrams that were refused, by Refusal; `none` stays 0.
  const std::array<std::uint64_t, kRefusals>& refused() const { return refused_; }
  std::uint64_t loops() const { return guard_ ? guard_->loops() : 0; }

 private:
  Refusal judge_source(const Endpoint& peer, const IpAddress& source) const;
  Refusal judge_path(const ReceivedMessage& message) const;
  std::size_t within_rate(const IpAddress& source, std::size_t count, TimePoint now);
  Judgement refuse(Refusal refusal, std::size_t count);

  Options options_;
  NetworkView networks_;
  std::vector<Endpoint> local_;
  SourceRateLimiter limiter_;
  std::optional<LoopGuard> guard_;
  std::array<std::uint64_t, kRefusals> refused_{};
};

}  // namespace netkit
