// What the two servers of `sse serve` have in common: HTTP options and totals.
#pragma once

#include <chrono>
#include <optional>
#include <sse/serve_command.hpp>
#include <string>

#include <netkit/http/http_server.hpp>
#include <netkit/record/totals.hpp>

namespace netkit::sse {

// How long queued data may take to reach the readers when the server is told to stop.
inline constexpr Duration kFarewell = std::chrono::seconds(1);

HttpServer::Options http_options(const ServeOptions& options);
HttpRoutes::Options route_options(const ServeOptions& options);
void add_http_totals(Totals& totals, const HttpServer& server);
// What a stream begins with.
std::string opening(std::optional<Duration> retry);

}  // namespace netkit::sse
