// `sse proxy`: passes requests and streams on, and prints the events of each.
#pragma once

#include <cstddef>
#include <optional>
#include <sse/http_url.hpp>
#include <string>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::sse {

struct ProxyOptions {
  AddressSpec listen;
  HttpUrl target;
  std::vector<std::string> hosts;  // that requests may be for
  std::optional<TlsServerOptions> tls;
  TlsClientOptions target_tls;
  Duration connect_timeout = std::chrono::seconds(10);
  Duration request_timeout = std::chrono::minutes(1);
  TcpServer::Options server{.told_when_full = 64, .pause_backed_up = false};
  std::size_t max_event = std::size_t{16} << 20U;
  std::string record;  // the file; empty: none
};

class ProxyCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  ProxyOptions options_;
};

}  // namespace netkit::sse
