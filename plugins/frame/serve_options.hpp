// The settings of `frame serve`.
#pragma once

#include <cstddef>
#include <frame/rule.hpp>
#include <frame/server_session.hpp>
#include <optional>
#include <string>
#include <vector>

#include <netkit/cli/values.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/tls/tls.hpp>

namespace netkit::frame {

struct ServeOptions {
  AddressSpec address;
  ServerOptions session;  // accept_custom: --broadcast
  TcpServer::Options server;
  std::optional<TlsServerOptions> tls;
  std::size_t max_memory = 0;         // for unfinished frames of all clients
  std::size_t max_queue = 1U << 20U;  // what may wait for one client before messages to it are lost
  std::string record;                 // file; empty: none
  std::vector<Rule> rules;
  std::vector<std::string> messages;  // --send, as typed
  Duration every = kNever;            // how often
  bool show_heartbeats = false;
};

// Throws UsageError.
ServeOptions serve_options(const Values& values);

}  // namespace netkit::frame
