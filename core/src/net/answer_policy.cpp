#include <algorithm>
#include <utility>

#include <netkit/net/answer_policy.hpp>

namespace netkit {
namespace {

constexpr std::array<std::string_view, kRefusals> kTotalNames = {"",
                                                                 "dropped_port",
                                                                 "dropped_own",
                                                                 "dropped_broadcast",
                                                                 "dropped_denied",
                                                                 "dropped_rate",
                                                                 "dropped_loop"};

bool is_own_port(const std::vector<Endpoint>& local, std::uint16_t port) {
  return std::any_of(local.begin(), local.end(),
                     [port](const Endpoint& own) { return own.port() == port; });
}

}  // namespace

bool is_answering_service(std::uint16_t port) {
  switch (port) {
    case 7:
    case 13:
    case 17:
    case 19:
    case 37:
    case 53:
    case 123:
    case 1900:
    case 11211:
      return true;
    default:
      return false;
  }
}

std::string_view total_name(Refusal refusal) {
  return kTotalNames[static_cast<std::size_t>(refusal)];
}

AnswerPolicy::AnswerPolicy(const Options& options, NetworkView networks,
                           std::vector<Endpoint> local)
    : options_(options),
      networks_(std::move(networks)),
      local_(std::move(local)),
      limiter_({.per_second = options.rate, .seed = options.seed}) {
  if (options.loops == Loops::ignore) return;
  guard_.emplace(
      LoopGuard::Options{.any_content = options.loops == Loops::any_answer, .seed = options.seed});
}

AnswerPolicy::Plain AnswerPolicy::read_plain(std::string_view word) {
  if (word == "all") return Plain::all;
  return word == "none" ? Plain::none : Plain::local;
}

bool AnswerPolicy::is_shared(const IpAddress& address) const {
  if (address.is_multicast()) return true;
  if (address.is_v6()) return false;
  // Loopback is answered without a look at the interfaces: its one broadcast address is known.
  if (address.bytes()[0] == 127) {
    return address.bytes() == std::array<std::uint8_t, 16>{127, 255, 255, 255};
  }
  return address.is_limited_broadcast() || networks_.is_broadcast(address);
}

Refusal AnswerPolicy::judge_source(const Endpoint& peer, const IpAddress& source) const {
  const std::uint16_t port = peer.port();
  if (port == 0) return Refusal::port;
  if (is_own_port(local_, port)) {
    const bool bound = std::find(local_.begin(), local_.end(), peer) != local_.end();
    if (bound || networks_.is_own(source)) return Refusal::own;
  }
  if (!options_.any_port && is_answering_service(port)) return Refusal::port;
  if (source.is_unspecified() || is_shared(source)) return Refusal::broadcast;
  if (!options_.access.permits(source)) return Refusal::denied;
  return Refusal::none;
}

Refusal AnswerPolicy::judge_path(const ReceivedMessage& message) const {
  const Refusal refusal = judge_source(*message.peer, message.peer->address());
  if (refusal != Refusal::none || options_.answers_broadcasts) return refusal;
  // Unspecified where the socket is bound to one address, which tells as much.
  const IpAddress& to = message.destination;
  return !to.is_unspecified() && is_shared(to) ? Refusal::broadcast : Refusal::none;
}

std::size_t AnswerPolicy::within_rate(const IpAddress& source, std::size_t count, TimePoint now) {
  if (options_.rate <= 0) return count;
  std::size_t allowed = 0;
  while (allowed < count && limiter_.allow(source, now)) ++allowed;
  return allowed;
}

AnswerPolicy::Judgement AnswerPolicy::refuse(Refusal refusal, std::size_t count) {
  refused_[static_cast<std::size_t>(refusal)] += count;
  return {.refusal = refusal};
}

AnswerPolicy::Judgement AnswerPolicy::judge(const ReceivedMessage& message, TimePoint now) {
  const std::size_t count = message.segments();
  if (options_.any_source) return {.allowed = count};
  const Refusal path = judge_path(message);
  if (path != Refusal::none) return refuse(path, count);
  Judgement judgement;
  judgement.allowed = within_rate(message.peer->address(), count, now);
  if (judgement.allowed < count) {
    refuse(Refusal::rate, count - judgement.allowed);
    judgement.refusal = Refusal::rate;
    if (judgement.allowed == 0) return judgement;
  }
  if (!guard_) return judgement;
  const std::string_view first =
      message.segment_size == 0 ? message.data : message.data.substr(0, message.segment_size);
  const auto verdict = guard_->on_datagram(*message.peer, first, judgement.allowed, now);
  if (verdict == LoopGuard::Verdict::drop) return refuse(Refusal::loop, judgement.allowed);
  judgement.probe = verdict == LoopGuard::Verdict::probe;
  return judgement;
}

bool AnswerPolicy::permits_plain(const Endpoint& peer) const {
  if (options_.plain == Plain::all) return true;
  return options_.plain == Plain::local && networks_.is_on_link(peer.address());
}

bool AnswerPolicy::on_probe_answer(const Endpoint& peer, TimePoint now) {
  return guard_ && guard_->on_probe_answer(peer, now);
}

}  // namespace netkit
