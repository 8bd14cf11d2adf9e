#include <chrono>
#include <sse/cors_origin.hpp>
#include <sse/serve_command.hpp>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

// JavaScript takes a longer time for none at all, and would connect again without end.
Duration checked_retry(Duration time) {
  constexpr std::chrono::hours kLongest(24 * 24);
  if (time > kLongest) throw UsageError("--retry: readers can wait 576h at most");
  return time;
}

}  // namespace

void ServeCommand::configure(const Values& values) {
  std::vector<std::string> arguments = values.arguments();
  options_.address = take_address(arguments, AddressRole::server, "127.0.0.1:8000");
  options_.event_type = values.text("event");
  if (options_.event_type.find_first_of("\r\n") != std::string::npos) {
    throw UsageError("--event has one line");
  }
  for (const std::string& origin : values.texts("cors")) {
    if (!origin.empty()) options_.cors.push_back(checked_origin(origin));
  }
  options_.keep = static_cast<std::size_t>(values.integer("keep"));
  options_.keep_bytes = values.size("keep-bytes");
  options_.keepalive = values.duration("keepalive");
  if (options_.keepalive == Duration::zero()) {
    throw UsageError("--keepalive: 0 would be without end (none sends none)");
  }
  options_.request_timeout = values.duration("request-timeout");
  if (options_.request_timeout == Duration::zero()) {
    throw UsageError("--request-timeout: 0 would let nobody in (none waits for ever)");
  }
  if (values.has("retry")) options_.retry = checked_retry(values.duration("retry"));
  options_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options_.max_queue = values.size("max-queue");
  if (values.has("cert") != values.has("key")) {
    throw UsageError("TLS needs both --cert and --key");
  }
  if (values.has("cert")) {
    options_.tls = TlsServerOptions{values.text("cert"), values.text("key"), {}};
  }
}

ExitStatus ServeCommand::run(Host& host) {
  const EventServer server(host, options_);
  return host.run_loop();
}

}  // namespace netkit::sse
