#include <sse/serve_command.hpp>

#include <netkit/util/error.hpp>

namespace netkit::sse {

void ServeCommand::configure(const Values& values) {
  std::vector<std::string> arguments = values.arguments();
  options_.address = take_address(arguments, AddressRole::server, "127.0.0.1:8000");
  options_.event_type = values.text("event");
  options_.cors = values.text("cors");
  for (const std::string& text : {options_.event_type, options_.cors}) {
    if (text.find_first_of("\r\n") != std::string::npos) {
      throw UsageError("--event and --cors have one line");
    }
  }
  options_.keep = static_cast<std::size_t>(values.integer("keep"));
  options_.keep_bytes = values.size("keep-bytes");
  options_.keepalive = values.duration("keepalive");
  if (options_.keepalive == Duration::zero()) {
    throw UsageError("--keepalive: 0 would be without end (none sends none)");
  }
  options_.request_timeout = values.duration("request-timeout");
  if (values.has("retry")) options_.retry = values.duration("retry");
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
