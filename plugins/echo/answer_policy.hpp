// Whom a UDP server answers. UDP sources are easily forged, so a server that answers is a weapon
// unless it is choosy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <echo/access_list.hpp>
#include <functional>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/loop_guard.hpp>
#include <netkit/net/source_rate_limiter.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::echo {

enum class Refusal : std::uint8_t {
  none,       // answer it
  port,       // from port 0 or from a port where another service answers answers
  own,        // from the server's own address and port
  broadcast,  // from or to a broadcast or multicast address
  denied,     // --allow, --deny
};

// What the machine's networks are; LocalNetworks in the program, whatever is wanted in a test.
struct NetworkView {
  std::function<bool(const IpAddress&)> is_own;
  std::function<bool(const IpAddress&)> is_broadcast;
};

// Pure but for what NetworkView asks. [one thread]
class AnswerPolicy {
 public:
  struct Options {
    bool any_port = false;
    AccessList access;
    SourceRateLimiter::Options rate{};  // per_second 0: no limit
  };
  // `local` is where the server is bound; its address may be unspecified.
  AnswerPolicy(const Options& options, NetworkView networks, const Endpoint& local);

  // What came from `peer`, sent to `destination` (unspecified where the socket is bound to one
  // address, which tells as much).
  Refusal judge(const Endpoint& peer, const IpAddress& destination) const;
  // How many of `count` datagrams of `source` its rate lets through now: the first so many.
  std::size_t within_rate(const IpAddress& source, std::size_t count, TimePoint now);

 private:
  bool is_shared(const IpAddress& address) const;
  Refusal judge_source(const Endpoint& peer, const IpAddress& source) const;

  Options options_;
  NetworkView networks_;
  SourceRateLimiter limiter_;
  Endpoint local_;
};

}  // namespace netkit::echo
