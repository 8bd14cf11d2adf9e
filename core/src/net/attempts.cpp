#include <utility>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/attempts.hpp>

namespace netkit {

std::vector<std::string> server_names(const std::vector<AddressSpec>& servers) {
  std::vector<std::string> names;
  names.reserve(servers.size());
  for (const AddressSpec& server : servers) names.push_back(server.to_string());
  return names;
}

Attempts::Attempts(EventLoop& loop, const Log& log, const Reconnect::Options& policy,
                   std::vector<std::string> servers, std::function<void()> attempt)
    : loop_(loop),
      log_(log),
      servers_(std::move(servers)),
      attempt_(std::move(attempt)),
      failover_(servers_.size()),
      reconnect_(policy) {}

void Attempts::start() {
  attempt_();
}

void Attempts::succeeded() {
  if (std::exchange(connected_, true)) return;
  failover_.connected();
  reconnect_.connected(loop_.now());
  say(outage_.connected(loop_.now(), server()));
}

bool Attempts::failed(std::string_view why, RetryBounds bounds) {
  if (pending()) return true;
  connected_ = false;
  Duration wait = Duration::zero();
  if (failover_.round_is_over()) {
    const auto delay = reconnect_.next(loop_.now(), random_.unit(), bounds);
    if (!delay) return false;
    wait = *delay;
  }
  const std::string lost = server();
  failover_.next();
  say(outage_.failed(loop_.now(), lost, why, server(), wait));
  timer_ = loop_.after(wait, [this] { attempt_(); });
  return true;
}

}  // namespace netkit
