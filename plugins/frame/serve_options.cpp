#include <algorithm>
#include <frame/commands.hpp>
#include <frame/serve_options.hpp>

#include <netkit/cli/shared_definitions.hpp>

namespace netkit::frame {

namespace {

constexpr std::size_t kMostWaiting = std::size_t{256} << 20U;  // of what is queued for all clients

}  // namespace

ServeOptions serve_options(const Values& values) {
  ServeOptions options;
  options.address = values.address("ADDRESS");
  const Cutting cutting = read_cutting(values, options.address.transport);
  options.session.codec = cutting.codec;
  options.session.max_frame = cutting.max_frame;
  options.session.bad = cutting.bad;
  options.session.datagrams = cutting.datagrams;
  for (const std::string& rule : values.texts("rule")) options.rules.push_back(Rule::parse(rule));
  options.messages = values.texts("send");
  if (values.has("every")) options.every = values.duration("every");
  options.session.frame_timeout = values.duration("frame-timeout");
  options.session.idle_timeout = values.duration("idle-timeout");
  options.session.accept_custom = values.flag("broadcast");
  read_tcp_client_limits(values, options.server);
  options.server.all_waiting = kMostWaiting;
  options.max_memory = std::max<std::size_t>(values.size("max-memory"), 2 * cutting.max_frame);
  options.max_queue = values.size("max-queue");
  options.record = values.text("record");
  options.show_heartbeats = values.text("show") == "heartbeats";
  options.tls = tls_server(values);
  if (options.tls) refuse_tls(options.address, options.tls->psk_keys ? "--psk-file" : "--cert");
  const FrameEncoder checked(options.session.codec);
  return options;
}

}  // namespace netkit::frame
