// The server of `sse serve`: every record of the sources becomes an event for all readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <sse/http_response.hpp>
#include <sse/replay_ring.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/limited_log.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_listeners.hpp>
#include <netkit/net/tls.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/source.hpp>
#include <netkit/util/slot_list.hpp>

namespace netkit::sse {

struct EventServerOptions {
  AddressSpec address;
  std::string event_type;
  std::vector<std::string> cors;  // as checked_origin() returns them
  std::size_t keep = 1000;
  std::size_t keep_bytes = std::size_t{64} << 20U;
  Duration keepalive = std::chrono::seconds(15);
  Duration request_timeout = std::chrono::seconds(10);
  std::optional<Duration> retry;
  std::size_t max_clients = 65536;
  std::size_t max_queue = std::size_t{1} << 20U;
  std::optional<TlsServerOptions> tls;
};

struct ServeCounters {
  std::uint64_t events = 0;
  std::uint64_t connections = 0;
  std::uint64_t refused = 0;
  std::uint64_t requests = 0;
  std::uint64_t bad_requests = 0;
  std::uint64_t request_timeouts = 0;
  std::uint64_t streams = 0;  // that were begun
  std::uint64_t delivered = 0;
  std::uint64_t replayed = 0;
  std::uint64_t lost = 0;
  std::uint64_t slow = 0;
};

class EventClient;

// [loop]
class EventServer final : private Sources::Handler {
 public:
  // Binds its sockets and opens the sources. Throws SystemError, Error.
  EventServer(Host& host, const EventServerOptions& options);
  ~EventServer() override;
  EventServer(const EventServer&) = delete;
  EventServer& operator=(const EventServer&) = delete;

 private:
  friend class EventClient;

  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;
  void on_accept(FileDescriptor socket, const Endpoint& peer);
  void remove(EventClient& client);
  void refused(const Endpoint& peer, const std::string& why);
  void send_batch();
  void send_to_all(const SharedPayload& payload, std::uint64_t from, std::uint64_t to);
  void keep_alive();
  void fill_totals(Totals& totals) const;
  void stop_accepting();
  void stop();
  void finish() { host_.finish(status_, error_); }
  void await_readers();

  Host& host_;
  EventServerOptions options_;
  Responder responder_;
  ReplayRing ring_;
  LimitedLog peers_log_;
  ServeCounters counters_;
  std::shared_ptr<TlsContext> tls_;
  std::optional<TcpListeners> listeners_;
  SlotList<EventClient> clients_;
  std::unique_ptr<Sources> sources_;
  Hook before_wait_;
  Timer keepalive_;
  SharedPayload comment_;
  std::string opening_;  // what a stream begins with, after its head
  std::string batch_;    // the events of this turn
  std::uint64_t batch_from_ = 0;
  TimePoint last_sent_;
  std::size_t streaming_ = 0;
  bool stopping_ = false;
  ExitStatus status_ = ExitStatus::done;  // that the end has, and why
  std::string error_;
};

}  // namespace netkit::sse
