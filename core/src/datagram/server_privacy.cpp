#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/datagram/server_privacy.hpp>

namespace netkit::datagram {
namespace {

PrivateServer::Options private_options(const ServerPrivacy::Options& given,
                                       const datagram::Options& protocol) {
  PrivateServer::Options options;
  options.keys = given.keys;
  options.plain = given.plain;
  options.idle = saturating_add(TimePoint(protocol.lease), protocol.lease).time_since_epoch();
  // Sessions that begin and those that end have no place of their own.
  options.max_peers = protocol.max_sessions + protocol.max_sessions / 8 + 1024;
  return options;
}

}  // namespace

ServerPrivacy::Options ServerPrivacy::read(const Values& values) {
  Options options;
  options.keys = psk_keys(values);
  if (!options.keys) return options;
  options.psk_file = values.text("psk-file");
  options.plain = values.given("plain") && values.text("plain") != "none";
  return options;
}

ServerPrivacy::ServerPrivacy(Run& run, const Options& options, const datagram::Options& protocol,
                             Driver::Handler& inner, Handler& handler)
    : run_(run),
      handler_(handler),
      log_(run.loop(), run.log()),
      server_(private_options(options, protocol), system_random(), inner,
              static_cast<PrivateServer::Handler&>(*this)) {
  if (!server_.has_keys()) return;
  file_.emplace(run.loop(), run.log(), options.psk_file, [this](PskKeys keys) {
    handler_.on_keys(keys);
    server_.set_keys(std::move(keys));
  });
}

void ServerPrivacy::say_if_open(const UdpSockets& sockets) const {
  const std::vector<Endpoint> local = sockets.local();
  const bool reached = std::ranges::any_of(
      local, [](const Endpoint& bound) { return !bound.address().is_loopback(); });
  if (server_.has_keys() || !reached) return;
  run_.log().notice("not encrypted: anyone on the path can read and forge traffic (--psk-file)");
}

void ServerPrivacy::on_refused(const Endpoint& peer, std::string_view why) {
  log_.notice(fmt::format("{} refused: {}", peer.to_string(), why));
}

void ServerPrivacy::on_revoked(std::uint32_t owner) {
  run_.log().notice(fmt::format("the key of '{}' was revoked", identity(owner)));
  handler_.on_revoked(owner);
}

void ServerPrivacy::show(Totals& totals) const {
  totals.add("handshakes", server_.counters().handshakes);
  totals.add("refused_key", server_.counters().refused);
}

}  // namespace netkit::datagram
