#include <algorithm>
#include <memory>
#include <sse/event_routes.hpp>
#include <sse/event_server.hpp>
#include <sse/serve_command.hpp>
#include <sse/serve_http.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/http/http_server.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/store/options.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

// `--replay`: what was recorded, to GET and POST alike.
class ReplayServer {
 public:
  ReplayServer(Host& host, const ServeOptions& options)
      : host_(host),
        options_(options),
        recording_(options.replay),
        faulty_status_(options.replayed.faults.status),
        http_(host.loop(), host.log(), http_options(options_), routes()) {
    host_.set_totals([this](Totals& totals) {
      totals.add("readers", http_.streams());
      add_http_totals(totals, http_);
    });
    host_.on_stop([this](StopReason) { stop(); });
    http_.tcp().listen(options_.address);
    host_.ready(http_.tcp().descriptions());
  }

 private:
  HttpRoutes routes() {
    HttpRoutes routes(route_options(options_));
    for (const char* method : {"GET", "POST"}) {
      routes.add(method, "/*", [this](const HttpRequest& request) { return answer(request); });
    }
    return routes;
  }
  HttpAnswer answer(const HttpRequest& request) {
    const Recording::Answer* const recorded = recording_.find(request.path);
    if (recorded == nullptr) return HttpAnswer::text(404, "the recording has no such path");
    HttpAnswer answer{.status = recorded->status,
                      .type = recorded->content_type,
                      .headers = "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n",
                      .is_shared = true};
    if (faulty_status_.answers(answer)) return answer;
    if (!recorded->content_encoding.empty()) {
      answer.headers += fmt::format("Content-Encoding: {}\r\n", recorded->content_encoding);
    }
    answer.body = opening(options_.retry);
    answer.stream = std::make_unique<ReplayStream>(host_.loop(), recording_, *recorded,
                                                   options_.replayed, last_event_id_of(request));
    return answer;
  }
  void stop() {
    http_.tcp().stop_accepting();
    timer_ = host_.loop().after(kFarewell, [this] { host_.finish(ExitStatus::done); });
    http_.close();
    http_.tcp().when_empty([this] { host_.finish(ExitStatus::done); });
  }

  Host& host_;
  ServeOptions options_;
  Recording recording_;
  FaultyStatus faulty_status_;
  HttpServer http_;
  TlsKeys keys_{http_.tcp()};
  Timer timer_;
};

}  // namespace

void ServeCommand::configure(const Values& values) {
  options_.address = values.address("ADDRESS");
  options_.event_type = values.text("event");
  if (options_.event_type.find_first_of("\r\n") != std::string::npos) {
    throw UsageError("--event must be a single line");
  }
  for (const std::string& origin : values.texts("cors")) {
    if (!origin.empty()) options_.origins.push_back(http::checked_origin(origin));
  }
  options_.credentials = values.flag("credentials");
  if (options_.credentials && std::ranges::find(options_.origins, "*") != options_.origins.end()) {
    throw UsageError(
        "--credentials: browsers do not accept it with * (name the origins in --cors)");
  }
  options_.hosts = values.texts("host");
  options_.hosts.push_back(options_.address.host);
  options_.keep = static_cast<std::size_t>(values.integer("keep"));
  options_.keep_bytes = values.size("keep-bytes");
  options_.keepalive = values.duration("keepalive");
  options_.request_timeout = values.duration("request-timeout");
  if (values.has("retry")) options_.retry = values.duration("retry");
  options_.last = static_cast<std::uint64_t>(values.integer("last"));
  options_.channels = values.flag("channels");
  options_.max_channels = static_cast<std::size_t>(values.integer("max-channels"));
  options_.max_event = values.size("max-event");
  options_.replay = values.text("replay");
  options_.replayed.speed = values.number("speed");
  options_.replayed.faults = Faults::parse(values.texts("fault"));
  if (options_.replayed.faults.retry) options_.retry = options_.replayed.faults.retry;
  read_tcp_client_limits(values, options_.clients);
  options_.max_queue = values.size("max-queue");
  options_.tls = tls_server(values);
  if (store::is_wanted(values)) options_.store = store::read_options(values, "sse", options_.keep);
}

ExitStatus ServeCommand::run(Host& host) {
  for (const auto& [option, token] : {std::pair("read-token-file", &options_.read_token),
                                      std::pair("write-token-file", &options_.write_token)}) {
    if (host.values().has(option)) *token = secret_of(host.values(), option);
  }
  if (!options_.replay.empty()) {
    const ReplayServer server(host, options_);
    return host.run_loop();
  }
  const EventServer server(host, options_);
  return host.run_loop();
}

}  // namespace netkit::sse
