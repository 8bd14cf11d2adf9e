#include "plugin/metrics_server.hpp"

#include <utility>

#include <netkit/net/address_spec.hpp>
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

HttpRoutes metrics_routes(std::function<std::string()> text) {
  HttpRoutes routes;
  routes.add("/metrics", [text = std::move(text)](const HttpRequest&) {
    return HttpAnswer{.type = "text/plain; version=0.0.4; charset=utf-8", .body = text()};
  });
  routes.add("/*", [](const HttpRequest&) { return HttpAnswer::text(404, "see /metrics"); });
  return routes;
}

}  // namespace

MetricsServer::MetricsServer(EventLoop& loop, const std::string& address,
                             std::function<std::string()> text)
    : http_(loop, silent_, few_and_quick(), metrics_routes(std::move(text))) {
  // Not what was passed (LISTEN_FDS): that is for the command.
  for (const Endpoint& local : resolve(AddressSpec::parse(address, AddressRole::server))) {
    http_.tcp().listen(listen_tcp(local));
  }
}

}  // namespace netkit
