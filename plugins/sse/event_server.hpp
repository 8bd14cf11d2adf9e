// `sse serve` without --replay.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <sse/event_stream.hpp>
#include <sse/fault_stream.hpp>
#include <sse/replay_ring.hpp>
#include <sse/serve_command.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/http/http_server.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/source.hpp>
#include <netkit/store/stream.hpp>
#include <netkit/tls/psk_file.hpp>

namespace netkit::sse {

// Sends what is published, by the sources or by POST, to all readers of its path; with --store by
// way of a store. [loop]
class EventServer final : private Sources::Handler, private store::Stream::Handler {
 public:
  // Opens the sources and the store, and binds its sockets once that is there. Throws SystemError,
  // Error. Both outlive it.
  EventServer(Host& host, const ServeOptions& options);

 private:
  class Reader;
  // Readers of one path share one, and what is published there; all paths do without --channels.
  struct Channel {
    Channel(std::string name, const ServeOptions& options, std::uint64_t id)
        : path(std::move(name)), ring(options.keep, options.keep_bytes, id) {}

    std::string path;
    ReplayRing ring;
    std::vector<Reader*> readers{};  // in no order
    bool is_used = false;            // an event has come
    std::string batch{};             // the events of this turn
    std::uint64_t batch_from = 0;
    std::uint64_t batch_events = 0;
  };
  struct Counters {
    std::uint64_t events = 0;
    std::uint64_t delivered = 0;
    std::uint64_t replayed = 0;
    std::uint64_t lost = 0;
    std::uint64_t slow = 0;
    std::uint64_t unauthorized = 0;
  };

  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;
  void on_store_open() override;
  void on_entry(const store::Entry& entry, std::uint64_t ticket) override;
  void on_lost_entries(std::uint64_t from, std::uint64_t to) override;
  void on_refused(std::uint64_t ticket, std::string_view why) override;
  void on_store_change() override;
  void on_store_failed(ExitStatus status, const std::string& error) override;

  HttpRoutes routes();
  // That of a path, which is made where there is none; null: there are too many.
  Channel* channel_of(std::string_view name);
  bool make_room();
  void keep_within_bounds();
  void read(const HttpRequest& request, HttpAnswer& answer);
  HttpAnswer publish(const HttpRequest& request);
  HttpAnswer publish_stored(const Channel& channel, std::string_view type, std::string_view text);
  void answer_publisher(std::uint64_t ticket, const HttpAnswer& answer);
  std::uint64_t store(const Channel& channel, std::string_view type, std::string_view text,
                      store::Wish wish);
  // `id` as ReplayRing::push() has it.
  void add_event(Channel& channel, std::uint64_t id, std::string_view type, std::string_view text);
  void add_bytes(Channel& channel, std::uint64_t id, std::string bytes);
  void send_batch(Channel& channel);
  void send_batches();
  void keep_alive();
  void fill_totals(Totals& totals) const;
  void stop_accepting();
  void stop();
  void open_store();
  void begin_with(std::uint64_t number);
  void start();
  void when_stored(std::function<void()> then);
  void end_readers();
  void close_all();
  void finish();
  void await_readers();

  Host& host_;
  ServeOptions options_;
  std::uint64_t first_id_;
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels_;  // by path
  Channel* main_ = nullptr;     // that of `/`, which the sources feed
  std::size_t kept_bytes_ = 0;  // of the rings of all channels
  FaultyStatus faulty_status_;
  HttpChunk comment_;    // that keeps connections alive
  std::string opening_;  // what a stream begins with
  HttpServer http_;
  TlsKeys keys_{http_.tcp()};
  Counters counters_;
  std::unique_ptr<Sources> sources_;
  std::unique_ptr<store::Stream> store_;  // none: events are this server's alone
  std::map<std::uint64_t, std::shared_ptr<HttpLater>> publishing_;  // POSTs, by their tickets
  std::uint64_t first_entry_ = 0;                                   // that the store still had
  bool ending_ = false;                // its sources are not read any more
  std::function<void()> after_store_;  // what is done once nothing waits for the store
  Hook before_wait_;
  Timer timer_;  // of comments, then of the readers' last chance
  TimePoint last_sent_;
  ExitStatus status_ = ExitStatus::done;  // that the end has, and why
  std::string error_;
};

}  // namespace netkit::sse
