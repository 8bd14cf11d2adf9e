// `sse serve`: every record of the sources becomes an event for all readers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sse/replay.hpp>
#include <string>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/store/stream.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::sse {

struct ServeOptions {
  AddressSpec address;
  std::string event_type;
  std::vector<std::string> origins;  // --cors, as http::checked_origin() returns them
  bool credentials = false;          // of their pages
  std::vector<std::string> hosts;    // --host
  std::size_t keep = 1000;
  std::uint64_t last = 0;  // events for a newcomer
  std::size_t keep_bytes = std::size_t{64} << 20U;
  Duration keepalive = std::chrono::seconds(15);
  Duration request_timeout = std::chrono::seconds(10);
  std::optional<Duration> retry;
  bool channels = false;
  std::size_t max_channels = 1000;
  std::size_t max_event = std::size_t{1} << 20U;  // of a POST
  std::string read_token;                         // empty: everybody reads
  std::string write_token;                        // empty: nobody publishes
  std::string replay;                             // the file; empty: no replay
  ReplayStream::Options replayed;                 // its speed, and the faults of any stream
  TcpServer::Options clients{};                   // how many, which, and how much of each
  std::size_t max_queue = std::size_t{1} << 20U;
  std::optional<TlsServerOptions> tls;
  std::optional<store::Stream::Options> store;  // none: events are this server's alone
};

class ServeCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  ServeOptions options_;
};

}  // namespace netkit::sse
