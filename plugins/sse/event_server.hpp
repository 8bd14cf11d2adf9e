// The server of `sse serve`: every record of the sources becomes an event for all readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <sse/replay_ring.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/http/http_server.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/source.hpp>
#include <netkit/tls/tls.hpp>

namespace netkit::sse {

struct ServeOptions {
  AddressSpec address;
  std::string event_type;
  std::vector<std::string> origins;  // --cors, as http::checked_origin() returns them
  std::size_t keep = 1000;
  std::size_t keep_bytes = std::size_t{64} << 20U;
  Duration keepalive = std::chrono::seconds(15);
  Duration request_timeout = std::chrono::seconds(10);
  std::optional<Duration> retry;
  std::size_t max_clients = 65536;
  std::size_t max_queue = std::size_t{1} << 20U;
  std::optional<TlsServerOptions> tls;
};

// [loop]
class EventServer final : private Sources::Handler {
 public:
  // Binds its sockets and opens the sources. Throws SystemError, Error.
  EventServer(Host& host, const ServeOptions& options);
  ~EventServer() override;
  EventServer(const EventServer&) = delete;
  EventServer& operator=(const EventServer&) = delete;

 private:
  class Reader;
  struct Counters {
    std::uint64_t events = 0;
    std::uint64_t delivered = 0;
    std::uint64_t replayed = 0;
    std::uint64_t lost = 0;
    std::uint64_t slow = 0;
  };

  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;
  HttpServer::Options http_options() const;
  HttpRoutes routes();
  void send_batch();
  void keep_alive();
  void fill_totals(Totals& totals) const;
  void stop_accepting();
  void stop();
  void finish() { host_.finish(status_, error_); }
  void await_readers();

  Host& host_;
  ServeOptions options_;
  ReplayRing ring_;
  HttpChunk comment_;    // that keeps connections alive
  std::string opening_;  // what a stream begins with
  HttpServer http_;
  Counters counters_;
  std::unique_ptr<Sources> sources_;
  Hook before_wait_;
  Timer timer_;        // of comments, then of the readers' last chance
  std::string batch_;  // the events of this turn
  std::uint64_t batch_from_ = 0;
  TimePoint last_sent_;
  ExitStatus status_ = ExitStatus::done;  // that the end has, and why
  std::string error_;
};

}  // namespace netkit::sse
