#include <sse/event_stream.hpp>
#include <sse/serve_http.hpp>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/http/http_text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kRefusedAtOnce = 64;  // that are told so at a time

}  // namespace

HttpServer::Options http_options(const ServeOptions& options) {
  HttpServer::Options http{.tcp = options.clients, .request_timeout = options.request_timeout};
  http.limits.max_body = options.max_event;
  http.tcp.told_when_full = kRefusedAtOnce;
  http.tcp.low_water = options.max_queue / 2;
  http.tcp.high_water = options.max_queue;
  if (options.tls) {
    TlsServerOptions tls = *options.tls;
    tls.alpn = HttpServer::alpn();
    http.tcp.tls = TlsContext::server(tls);
  }
  return http;
}

HttpRoutes::Options route_options(const ServeOptions& options) {
  return {.origins = options.origins,
          .credentials = options.credentials,
          .permits_host = http::own_hosts(options.hosts)};
}

void add_http_totals(Totals& totals, const HttpServer& server) {
  const TcpServer::Counters& tcp = server.tcp().counters();
  const HttpServer::Counters& http = server.counters();
  add_tcp_clients(totals, tcp);
  totals.add("requests", http.requests);
  totals.add("streams", http.streams);
  totals.add("bad_requests", http.bad_requests);
  totals.add("request_timeouts", http.request_timeouts + tcp.handshake_timeouts);
}

std::string opening(std::optional<Duration> retry) {
  std::string out;
  if (retry) append_retry(out, *retry);
  return out;
}

}  // namespace netkit::sse
