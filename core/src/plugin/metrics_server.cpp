#include "plugin/metrics_server.hpp"

#include <utility>

#include <netkit/http/http_text.hpp>
#include <netkit/net/resolver.hpp>
#include <netkit/net/server_sockets.hpp>

namespace netkit {
namespace {

HttpServer::Options few_and_quick() {
  HttpServer::Options options{.limits = {.max_method = 16, .host_is_needed = false},
                              .request_timeout = std::chrono::seconds(5),
                              .timeout_option = {},
                              .keeps_alive = false,
                              .has_date = false};
  options.tcp.max_clients = 16;
  options.tcp.limit_option = {};
  return options;
}

HttpRoutes metrics_routes(const AddressSpec& address, std::function<std::string()> text) {
  HttpRoutes routes({.permits_host = http::own_hosts({address.host})});
  routes.add("/metrics", [text = std::move(text)](const HttpRequest& request) {
    if (request.minor_version >= 1 && !request.header("Host")) {
      return HttpAnswer::text(400, "exactly one Host header is needed");
    }
    return HttpAnswer{.type = "text/plain; version=0.0.4; charset=utf-8", .body = text()};
  });
  routes.add("/*", [](const HttpRequest&) { return HttpAnswer::text(404, "see /metrics"); });
  return routes;
}

}  // namespace

MetricsServer::MetricsServer(EventLoop& loop, const std::string& address,
                             std::function<std::string()> text)
    : address_(AddressSpec::parse(address, AddressRole::server)),
      http_(loop, silent_, few_and_quick(), metrics_routes(address_, std::move(text))) {
  // Not what was passed (LISTEN_FDS): that is for the command.
  for (const Endpoint& local : resolve(address_)) {
    http_.tcp().listen(listen_tcp(local));
  }
}

}  // namespace netkit
