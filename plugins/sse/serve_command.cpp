#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <sse/event_routes.hpp>
#include <sse/event_stream.hpp>
#include <sse/replay_ring.hpp>
#include <sse/serve_command.hpp>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/http/http_server.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxBatch = std::size_t{64} << 10U;
constexpr std::size_t kReplayPerTurn = std::size_t{64} << 10U;
constexpr std::size_t kRefusedAtOnce = 64;  // that are told so at a time
// How long what is queued may take to reach the readers when the server is told to stop.
constexpr Duration kFarewell = std::chrono::seconds(1);
// How long none of the readers may get on when there are no more events.
constexpr Duration kStandstill = std::chrono::seconds(5);

std::string comment(std::string_view text) {
  std::string out;
  append_comment(out, text);
  return out;
}

std::string opening(std::optional<Duration> retry) {
  std::string out;
  if (retry) append_retry(out, *retry);
  return out;
}

// The milliseconds of the start and three digits: a run that has had less than a million events a
// second has given no id that a later one, or another server, can take for its own. JavaScript and
// JSON still take it for a whole number.
std::uint64_t first_id(WallTime start) {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(start.time_since_epoch()).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)) * 1000 + 1;
}

class EventServer final : private Sources::Handler {
 public:
  // Binds its sockets and opens the sources. Throws SystemError, Error.
  EventServer(Host& host, const ServeOptions& options);

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

// A reader that does not keep up gets no more than its queue takes and goes on from the ring when
// it has taken that: no event is doubled, and those that the ring has lost by then are named in a
// comment. What it gets from the ring goes out a piece a turn, so that a long replay keeps no other
// reader waiting.
class EventServer::Reader final : public HttpStream {
 public:
  Reader(EventServer& server, const ReplayRing::Replay& replay)
      : server_(server), replay_(replay), next_(replay.from) {}

  // The events `from` to `to` - 1 as one payload.
  void push(const HttpChunk& events, std::uint64_t from, std::uint64_t to) {
    if (backed_up() || next_ != from) return;
    next_ = to;
    server_.counters_.delivered += to - from;
    write(events);
  }
  void push_comment(const HttpChunk& comment) {
    if (!backed_up()) write(comment);
  }
  // Ends once it has every event that there is.
  void finish() {
    finishing_ = true;
    catch_up();
  }

 private:
  void on_open() override {
    if (replay_.lost_from != 0) report_loss(replay_.lost_from, replay_.lost_to);
    catch_up();
  }
  void on_backed_up() override { ++server_.counters_.slow; }
  void on_drained() override { catch_up(); }
  void on_gone() override { timer_.reset(); }
  void catch_up();
  void report_loss(std::uint64_t from, std::uint64_t to);

  EventServer& server_;
  Timer timer_;  // until the next piece of a replay
  ReplayRing::Replay replay_;
  std::uint64_t next_;  // the id of the event that it gets next
  bool finishing_ = false;
};

// Whoever is behind gets no push(), so what has come has to be in the ring, and nothing of it in a
// batch that is still to be sent.
void EventServer::Reader::catch_up() {
  if (ended()) return;
  server_.send_batch();
  const ReplayRing& ring = server_.ring_;
  if (next_ < ring.oldest()) {
    report_loss(next_, ring.oldest() - 1);
    next_ = ring.oldest();
  }
  if (!backed_up() && next_ < ring.next_id()) {
    const ReplayRing::Piece piece =
        ring.piece(next_, std::min(kReplayPerTurn, server_.options_.max_queue));
    server_.counters_.delivered += piece.to - next_;
    server_.counters_.replayed += piece.to - next_;
    next_ = piece.to;
    write(*piece.bytes);
  }
  if (backed_up()) return;
  if (next_ < ring.next_id()) {
    timer_ = server_.host_.loop().after(Duration::zero(), [this] { catch_up(); });
  } else if (finishing_) {
    end();
  }
}

void EventServer::Reader::report_loss(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t count = to - from + 1;
  const std::string numbers = count == 1 ? fmt::format("event {}", from)
                                         : fmt::format("{} events ({} to {})", count, from, to);
  server_.counters_.lost += count;
  server_.http_.tcp().notice(fmt::format("{}: {} {} not kept any more ({})", peer().to_string(),
                                         numbers, count == 1 ? "is" : "are",
                                         server_.ring_.limit()));
  write(comment("lost: " + numbers));
}

EventServer::EventServer(Host& host, const ServeOptions& options)
    : host_(host),
      options_(options),
      ring_(options.keep, options.keep_bytes, first_id(host.clock().wall())),
      comment_(comment("")),
      opening_(opening(options.retry)),
      http_(host.loop(), host.log(), http_options(), routes()),
      last_sent_(host.loop().now()) {
  sources_ = open_sources(host_, *this, {.stdin_when_none = true});
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  before_wait_ = host_.loop().before_wait([this] { send_batch(); });
  http_.tcp().listen(options_.address);
  host_.ready(http_.tcp().descriptions());
  if (options_.keepalive != kNever) {
    timer_ = host_.loop().after(options_.keepalive, [this] { keep_alive(); });
  }
  sources_->resume();
}

HttpServer::Options EventServer::http_options() const {
  HttpServer::Options http{.request_timeout = options_.request_timeout};
  http.tcp.max_clients = options_.max_clients;
  http.tcp.told_when_full = kRefusedAtOnce;
  http.tcp.low_water = options_.max_queue / 2;
  http.tcp.high_water = options_.max_queue;
  if (options_.tls) http.tcp.tls = TlsContext::server(*options_.tls);
  return http;
}

HttpRoutes EventServer::routes() {
  return event_routes({.origins = options_.origins,
                       .credentials = options_.credentials,
                       .permits_host = http::own_hosts(options_.hosts)},
                      options_.event_type,
                      [this](std::string_view last_event_id, HttpAnswer& answer) {
                        send_batch();  // to the others; to this one it comes from the ring
                        answer.body = opening_;
                        answer.stream = std::make_unique<Reader>(*this, ring_.after(last_event_id));
                      });
}

void EventServer::on_source_record(std::string_view text, WallTime) {
  std::string encoded;
  append_event(encoded, {fmt::format_int(ring_.next_id()).c_str(), options_.event_type, text});
  ++counters_.events;
  if (batch_.empty()) batch_from_ = ring_.next_id();
  batch_ += encoded;
  ring_.push(std::make_shared<const std::string>(std::move(encoded)));
  if (batch_.size() >= kMaxBatch) send_batch();
}

void EventServer::on_sources_end() {
  host_.log().info("the source has ended; readers are still served");
}

bool EventServer::on_source_failed(ExitStatus status, const std::string& error) {
  status_ = status;
  error_ = error;
  stop_accepting();
  http_.close_all_but_streams();
  http_.for_each_stream<Reader>([](Reader& reader) { reader.finish(); });
  await_readers();
  http_.tcp().when_empty([this] { finish(); });
  return true;
}

// Those who are behind get what is kept for them, as long as one of them takes it.
void EventServer::await_readers() {
  timer_ = host_.loop().after(kStandstill, [this, before = counters_.delivered] {
    before == counters_.delivered ? finish() : await_readers();
  });
}

void EventServer::send_batch() {
  if (batch_.empty()) return;
  const HttpChunk events(batch_);
  batch_.clear();
  last_sent_ = host_.loop().now();
  http_.for_each_stream<Reader>(
      [&](Reader& reader) { reader.push(events, batch_from_, ring_.next_id()); });
}

void EventServer::keep_alive() {
  const TimePoint now = host_.loop().now();
  if (now >= saturating_add(last_sent_, options_.keepalive)) {
    last_sent_ = now;
    http_.for_each_stream<Reader>([this](Reader& reader) { reader.push_comment(comment_); });
  }
  timer_ =
      host_.loop().at(saturating_add(last_sent_, options_.keepalive), [this] { keep_alive(); });
}

void EventServer::fill_totals(Totals& totals) const {
  const TcpServer::Counters& tcp = http_.tcp().counters();
  const HttpServer::Counters& http = http_.counters();
  totals.add("readers", http_.streams());
  totals.add("events", counters_.events);
  totals.add("delivered", counters_.delivered);
  totals.add("replayed", counters_.replayed);
  totals.add("lost", counters_.lost);
  totals.add("slow", counters_.slow);
  totals.add("connections", tcp.accepted);
  totals.add("refused", tcp.refused);
  totals.add("requests", http.requests);
  totals.add("streams", http.streams);
  totals.add("bad_requests", http.bad_requests);
  totals.add("request_timeouts", http.request_timeouts + tcp.handshake_timeouts);
  totals.add("kept", ring_.size());
}

void EventServer::stop_accepting() {
  sources_->pause();
  send_batch();
  http_.tcp().stop_accepting();
}

void EventServer::stop() {
  stop_accepting();
  timer_ = host_.loop().after(kFarewell, [this] { finish(); });
  http_.close();
  http_.tcp().when_empty([this] { finish(); });
}

}  // namespace

void ServeCommand::configure(const Values& values) {
  options_.address = values.address("ADDRESS");
  options_.event_type = values.text("event");
  if (options_.event_type.find_first_of("\r\n") != std::string::npos) {
    throw UsageError("--event has one line");
  }
  for (const std::string& origin : values.texts("cors")) {
    if (!origin.empty()) options_.origins.push_back(http::checked_origin(origin));
  }
  options_.credentials = values.flag("credentials");
  if (options_.credentials && std::ranges::find(options_.origins, "*") != options_.origins.end()) {
    throw UsageError("--credentials: browsers take no * with it (name the origins in --cors)");
  }
  options_.hosts = values.texts("host");
  options_.hosts.push_back(options_.address.host);
  options_.keep = static_cast<std::size_t>(values.integer("keep"));
  options_.keep_bytes = values.size("keep-bytes");
  options_.keepalive = values.duration("keepalive");
  options_.request_timeout = values.duration("request-timeout");
  if (values.has("retry")) options_.retry = values.duration("retry");
  options_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options_.max_queue = values.size("max-queue");
  options_.tls = tls_server(values);
}

ExitStatus ServeCommand::run(Host& host) {
  const EventServer server(host, options_);
  return host.run_loop();
}

}  // namespace netkit::sse
