// The command line of `frame proxy`.
#pragma once

#include <array>
#include <chrono>
#include <frame/commands.hpp>
#include <frame/faults.hpp>
#include <optional>
#include <string>

#include <netkit/cli/values.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::frame {

struct ProxyOptions {
  AddressSpec listen;
  AddressSpec target;
  std::array<Cutting, 2> cuttings{};  // of the requests, which come to `listen`, and of the answers
  Faults faults{};
  TcpServer::Options server{};
  std::optional<TlsServerOptions> tls{};         // of `listen`
  std::optional<TlsClientOptions> target_tls{};  // of `target`
  Duration connect_timeout = std::chrono::seconds(10);
  std::string record{};  // file; empty: none
};

// Throws UsageError.
ProxyOptions proxy_options(const Values& values);

}  // namespace netkit::frame
