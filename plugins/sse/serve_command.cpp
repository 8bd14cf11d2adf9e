#include <sse/serve_command.hpp>

#include <netkit/http/http_text.hpp>
#include <netkit/util/error.hpp>

namespace netkit::sse {

void ServeCommand::configure(const Values& values) {
  options_.address = values.address("ADDRESS");
  options_.event_type = values.text("event");
  if (options_.event_type.find_first_of("\r\n") != std::string::npos) {
    throw UsageError("--event has one line");
  }
  for (const std::string& origin : values.texts("cors")) {
    if (!origin.empty()) options_.origins.push_back(http::checked_origin(origin));
  }
  options_.keep = static_cast<std::size_t>(values.integer("keep"));
  options_.keep_bytes = values.size("keep-bytes");
  options_.keepalive = values.duration("keepalive");
  options_.request_timeout = values.duration("request-timeout");
  if (values.has("retry")) options_.retry = values.duration("retry");
  options_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options_.max_queue = values.size("max-queue");
  if (values.has("cert")) {
    options_.tls = TlsServerOptions{values.text("cert"), values.text("key"), {}};
  }
}

ExitStatus ServeCommand::run(Host& host) {
  const EventServer server(host, options_);
  return host.run_loop();
}

}  // namespace netkit::sse
