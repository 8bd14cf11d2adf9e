#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
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
#include <netkit/net/server_sockets.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

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

// Readers of one path share one, and what is published there; all paths do without --channels.
struct Channel {
  Channel(const ServeOptions& options, std::uint64_t id)
      : ring(options.keep, options.keep_bytes, id) {}

  ReplayRing ring;
  std::string batch{};  // the events of this turn
  std::uint64_t batch_from = 0;
};

HttpServer::Options http_options(const ServeOptions& options) {
  HttpServer::Options http{.request_timeout = options.request_timeout};
  http.limits.max_body = options.max_event;
  http.tcp.max_clients = options.max_clients;
  http.tcp.told_when_full = kRefusedAtOnce;
  http.tcp.low_water = options.max_queue / 2;
  http.tcp.high_water = options.max_queue;
  if (options.tls) {
    TlsServerOptions tls = *options.tls;
    tls.alpn = HttpServer::alpn();
    http.tcp.tls = TlsContext::server(tls);
  }
  return http;
}

HttpRoutes::Options route_options(const ServeOptions& options) {
  return {.origins = options.origins,
          .credentials = options.credentials,
          .permits_host = http::own_hosts(options.hosts)};
}

void add_http_totals(Totals& totals, const HttpServer& server) {
  const TcpServer::Counters& tcp = server.tcp().counters();
  const HttpServer::Counters& http = server.counters();
  totals.add("connections", tcp.accepted);
  totals.add("refused", tcp.refused);
  totals.add("requests", http.requests);
  totals.add("streams", http.streams);
  totals.add("bad_requests", http.bad_requests);
  totals.add("request_timeouts", http.request_timeouts + tcp.handshake_timeouts);
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
    std::uint64_t unauthorized = 0;
  };

  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;
  HttpRoutes routes();
  // That of a path, which is made where there is none; null: there are too many.
  Channel* channel_of(std::string_view path);
  void read(const HttpRequest& request, HttpAnswer& answer);
  HttpAnswer publish(const HttpRequest& request);
  void add_event(Channel& channel, std::string_view type, std::string_view text);
  void send_batch(Channel& channel);
  void send_batches();
  void keep_alive();
  void fill_totals(Totals& totals) const;
  void stop_accepting();
  void stop();
  void finish() { host_.finish(status_, error_); }
  void await_readers();

  Host& host_;
  ServeOptions options_;
  std::uint64_t first_id_;
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels_;  // by path
  Channel* main_ = nullptr;  // that of `/`, which the sources feed
  FaultyStatus faulty_status_;
  HttpChunk comment_;    // that keeps connections alive
  std::string opening_;  // what a stream begins with
  HttpServer http_;
  Counters counters_;
  std::unique_ptr<Sources> sources_;
  Hook before_wait_;
  Timer timer_;  // of comments, then of the readers' last chance
  TimePoint last_sent_;
  ExitStatus status_ = ExitStatus::done;  // that the end has, and why
  std::string error_;
};

// A reader that does not keep up gets no more than its queue takes and goes on from the ring when
// it has taken that: no event is doubled, and those that the ring has lost by then are named in a
// comment. What it gets from the ring goes out a piece a turn, so that a long replay keeps no other
// reader waiting.
class EventServer::Reader final : public FaultStream {
 public:
  Reader(EventServer& server, Channel& channel, const ReplayRing::Replay& replay)
      : FaultStream(server.options_.replayed.faults),
        server_(server),
        channel_(channel),
        replay_(replay),
        next_(replay.from) {}

  // The events `from` to `to` - 1 as one payload.
  void push(const HttpChunk& events, const Channel& channel, std::uint64_t from, std::uint64_t to) {
    if (&channel != &channel_ || backed_up() || next_ != from) return;
    next_ = to;
    server_.counters_.delivered += to - from;
    put(events);
  }
  void push_comment(const HttpChunk& comment) {
    if (!backed_up()) put(comment);
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
  Channel& channel_;
  Timer timer_;  // until the next piece of a replay
  ReplayRing::Replay replay_;
  std::uint64_t next_;  // the id of the event that it gets next
  bool finishing_ = false;
};

// Whoever is behind gets no push(), so what has come has to be in the ring, and nothing of it in a
// batch that is still to be sent.
void EventServer::Reader::catch_up() {
  if (ended()) return;
  server_.send_batch(channel_);
  const ReplayRing& ring = channel_.ring;
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
    put(*piece.bytes);
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
                                         channel_.ring.limit()));
  put(comment("lost: " + numbers));
}

EventServer::EventServer(Host& host, const ServeOptions& options)
    : host_(host),
      options_(options),
      first_id_(first_id(host.clock().wall())),
      faulty_status_(options.replayed.faults.status),
      comment_(comment("")),
      opening_(opening(options.retry)),
      http_(host.loop(), host.log(), http_options(options_), routes()),
      last_sent_(host.loop().now()) {
  main_ = channel_of("/");
  sources_ = open_sources(host_, *this, {.stdin_when_none = true});
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  before_wait_ = host_.loop().before_wait([this] { send_batches(); });
  http_.tcp().listen(options_.address);
  host_.ready(http_.tcp().descriptions());
  if (options_.keepalive != kNever) {
    timer_ = host_.loop().after(options_.keepalive, [this] { keep_alive(); });
  }
  sources_->resume();
}

HttpRoutes EventServer::routes() {
  EventActions actions{
      .read = [this](const HttpRequest& request, HttpAnswer& answer) { read(request, answer); },
      .read_token = options_.read_token,
      .write_token = options_.write_token,
      .on_refused = [this] { ++counters_.unauthorized; }};
  if (!options_.write_token.empty()) {
    actions.publish = [this](const HttpRequest& request) { return publish(request); };
  }
  return event_routes(route_options(options_), options_.event_type,
                      options_.channels ? "?last=100" : "events?last=100", std::move(actions));
}

Channel* EventServer::channel_of(std::string_view path) {
  if (!options_.channels) path = "/";
  const auto found = channels_.find(path);
  if (found != channels_.end()) return found->second.get();
  if (channels_.size() >= options_.max_channels) return nullptr;
  return channels_.emplace(path, std::make_unique<Channel>(options_, first_id_))
      .first->second.get();
}

void EventServer::read(const HttpRequest& request, HttpAnswer& answer) {
  if (faulty_status_.answers(answer)) return;
  Channel* const channel = channel_of(request.path);
  if (channel == nullptr) {
    answer = HttpAnswer::text(503, full_text(options_.max_channels, "channel", "--max-channels"));
    return;
  }
  send_batch(*channel);  // to the others; to this one it comes from the ring
  const auto last = read_integer<std::uint64_t>(request.parameter("last").value_or(""));
  answer.body = opening_;
  answer.stream = std::make_unique<Reader>(
      *this, *channel,
      channel->ring.after(last_event_id_of(request), last.value_or(options_.last)));
}

HttpAnswer EventServer::publish(const HttpRequest& request) {
  Channel* const channel = channel_of(request.path);
  if (channel == nullptr) {
    return HttpAnswer::text(503, full_text(options_.max_channels, "channel", "--max-channels"));
  }
  const std::string type = request.parameter("event").value_or(options_.event_type);
  const std::string id = std::to_string(channel->ring.next_id());
  add_event(*channel, type, request.body);
  return HttpAnswer::text(200, id);
}

void EventServer::on_source_record(std::string_view text, WallTime) {
  add_event(*main_, options_.event_type, text);
}

void EventServer::add_event(Channel& channel, std::string_view type, std::string_view text) {
  std::string encoded;
  append_event(encoded, {fmt::format_int(channel.ring.next_id()).c_str(), type, text});
  ++counters_.events;
  if (channel.batch.empty()) channel.batch_from = channel.ring.next_id();
  channel.batch += encoded;
  channel.ring.push(std::make_shared<const std::string>(std::move(encoded)));
  if (channel.batch.size() >= kMaxBatch) send_batch(channel);
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

void EventServer::send_batch(Channel& channel) {
  if (channel.batch.empty()) return;
  const HttpChunk events(channel.batch);
  channel.batch.clear();
  last_sent_ = host_.loop().now();
  http_.for_each_stream<Reader>([&](Reader& reader) {
    reader.push(events, channel, channel.batch_from, channel.ring.next_id());
  });
}

void EventServer::send_batches() {
  for (const auto& [path, channel] : channels_) send_batch(*channel);
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
  std::uint64_t kept = 0;
  for (const auto& [path, channel] : channels_) kept += channel->ring.size();
  totals.add("readers", http_.streams());
  totals.add("channels", channels_.size());
  totals.add("events", counters_.events);
  totals.add("delivered", counters_.delivered);
  totals.add("replayed", counters_.replayed);
  totals.add("lost", counters_.lost);
  totals.add("slow", counters_.slow);
  totals.add("unauthorized", counters_.unauthorized);
  totals.add("kept", kept);
  add_http_totals(totals, http_);
}

void EventServer::stop_accepting() {
  sources_->pause();
  send_batches();
  http_.tcp().stop_accepting();
}

void EventServer::stop() {
  stop_accepting();
  timer_ = host_.loop().after(kFarewell, [this] { finish(); });
  http_.close();
  http_.tcp().when_empty([this] { finish(); });
}

// `--replay`: what was recorded, to GET and POST alike.
class ReplayServer {
 public:
  ReplayServer(Host& host, const ServeOptions& options)
      : host_(host),
        options_(options),
        recording_(options.replay),
        faulty_status_(options.replayed.faults.status),
        http_(host.loop(), host.log(), http_options(options_), routes()) {
    host_.set_totals([this](Totals& totals) {
      totals.add("readers", http_.streams());
      add_http_totals(totals, http_);
    });
    host_.on_stop([this](StopReason) { stop(); });
    http_.tcp().listen(options_.address);
    host_.ready(http_.tcp().descriptions());
  }

 private:
  HttpRoutes routes() {
    HttpRoutes routes(route_options(options_));
    for (const char* method : {"GET", "POST"}) {
      routes.add(method, "/*", [this](const HttpRequest& request) { return answer(request); });
    }
    return routes;
  }
  HttpAnswer answer(const HttpRequest& request) {
    const Recording::Answer* const recorded = recording_.find(request.path);
    if (recorded == nullptr) return HttpAnswer::text(404, "the recording has no such path");
    HttpAnswer answer{.status = recorded->status,
                      .type = recorded->content_type,
                      .headers = "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n",
                      .is_shared = true};
    if (faulty_status_.answers(answer)) return answer;
    answer.body = opening(options_.retry);
    answer.stream = std::make_unique<ReplayStream>(host_.loop(), recording_, *recorded,
                                                   options_.replayed, last_event_id_of(request));
    return answer;
  }
  void stop() {
    http_.tcp().stop_accepting();
    timer_ = host_.loop().after(kFarewell, [this] { host_.finish(ExitStatus::done); });
    http_.close();
    http_.tcp().when_empty([this] { host_.finish(ExitStatus::done); });
  }

  Host& host_;
  ServeOptions options_;
  Recording recording_;
  FaultyStatus faulty_status_;
  HttpServer http_;
  Timer timer_;
};

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
  options_.last = static_cast<std::uint64_t>(values.integer("last"));
  options_.channels = values.flag("channels");
  options_.max_channels = static_cast<std::size_t>(values.integer("max-channels"));
  options_.max_event = values.size("max-event");
  options_.replay = values.text("replay");
  options_.replayed.speed = values.number("speed");
  options_.replayed.faults = Faults::parse(values.texts("fault"));
  if (options_.replayed.faults.retry) options_.retry = options_.replayed.faults.retry;
  options_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options_.max_queue = values.size("max-queue");
  options_.tls = tls_server(values);
}

ExitStatus ServeCommand::run(Host& host) {
  for (const auto& [option, token] : {std::pair("read-token-file", &options_.read_token),
                                      std::pair("write-token-file", &options_.write_token)}) {
    if (host.values().has(option)) *token = secret_of(host.values(), option);
  }
  if (!options_.replay.empty()) {
    const ReplayServer server(host, options_);
    return host.run_loop();
  }
  const EventServer server(host, options_);
  return host.run_loop();
}

}  // namespace netkit::sse
