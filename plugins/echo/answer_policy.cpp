#include <echo/answer_policy.hpp>
#include <utility>

namespace netkit::echo {

AnswerPolicy::AnswerPolicy(const Options& options, NetworkView networks, const Endpoint& local)
    : options_(options), networks_(std::move(networks)), limiter_(options.rate), local_(local) {}

bool AnswerPolicy::is_shared(const IpAddress& address) const {
  if (address.is_multicast()) return true;
  if (address.is_v6()) return false;
  // Loopback is answered without a look at the interfaces: its one broadcast address is known.
  if (address.bytes()[0] == 127)
    return address.bytes() == std::array<std::uint8_t, 16>{127, 255, 255, 255};
  return address.is_limited_broadcast() || networks_.is_broadcast(address);
}

Refusal AnswerPolicy::judge_source(const Endpoint& peer, const IpAddress& source) const {
  const std::uint16_t port = peer.port();
  if (port == 0) return Refusal::port;
  if (port == local_.port() && (source == local_.address() || networks_.is_own(source))) {
    return Refusal::own;
  }
  if (!options_.any_port && is_answering_service(port)) return Refusal::port;
  if (is_shared(source)) return Refusal::broadcast;
  if (!options_.access.permits(source)) return Refusal::denied;
  return Refusal::none;
}

Refusal AnswerPolicy::judge(const Endpoint& peer, const IpAddress& destination) const {
  const Refusal refusal = judge_source(peer, peer.address());
  if (refusal != Refusal::none) return refusal;
  if (!destination.is_unspecified() && is_shared(destination)) return Refusal::broadcast;
  return Refusal::none;
}

std::size_t AnswerPolicy::within_rate(const IpAddress& source, std::size_t count, TimePoint now) {
  if (options_.rate.per_second <= 0) return count;
  std::size_t allowed = 0;
  while (allowed < count && limiter_.allow(source, now)) ++allowed;
  return allowed;
}

}  // namespace netkit::echo
