// The command line of `frame connect`.
#pragma once

#include <frame/client_session.hpp>
#include <frame/rule.hpp>
#include <optional>
#include <string>
#include <vector>

#include <netkit/cli/values.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::frame {

struct ConnectOptions {
  ClientOptions session;
  TcpClient::Options connection;
  std::optional<TlsClientOptions> tls;
  std::vector<std::string> messages;  // --send, as typed
  Duration every{};                   // how often; zero: once
  bool loses = false;                 // requests and answers may be lost on the way
  std::optional<Pattern> expect;
  Duration within = kNever;
  Duration wait = kNever;  // for the next answer, once the input has ended
  std::string record;      // file; empty: none
  bool fail = false;       // an answer with an error makes 1
  bool show_sent = false;
  bool show_heartbeats = false;
  bool read_input = true;
};

// Throws UsageError.
ConnectOptions connect_options(const Values& values);

}  // namespace netkit::frame
