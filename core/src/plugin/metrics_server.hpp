// `--metrics ADDRESS`: the totals over HTTP, in Prometheus' text format.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <netkit/http/http_server.hpp>
#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// [loop] Answers `GET /metrics`, one request a connection. A handful of connections at a time, each
// for a few seconds and with a short request, whatever a client does.
class NETKIT_API MetricsServer {
 public:
  // `address` as a server's: `PORT` is loopback, `:PORT` every interface. A name in it is one that
  // requests may have as their Host, as own_hosts() has it. `text` is asked for each answer. Throws
  // Error.
  MetricsServer(EventLoop& loop, const std::string& address, std::function<std::string()> text);
  std::vector<Endpoint> locals() const { return http_.tcp().locals(); }

 private:
  Log silent_{"", LogLevel::error};  // what goes on here is not what the command is for
  AddressSpec address_;
  HttpServer http_;
};

}  // namespace netkit
