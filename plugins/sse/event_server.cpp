#include <algorithm>
#include <chrono>
#include <sse/event_routes.hpp>
#include <sse/event_server.hpp>
#include <sse/serve_http.hpp>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http_text.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/store/options.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxBatch = std::size_t{64} << 10U;
constexpr std::size_t kReplayPerTurn = std::size_t{64} << 10U;
// How long this server may lag behind another one of its store while the store is available.
constexpr Duration kStoreLag = std::chrono::seconds(5);
// How long no reader may make progress once there are no more events.
constexpr Duration kStandstill = std::chrono::seconds(5);

std::string comment(std::string_view text) {
  std::string out;
  append_comment(out, text);
  return out;
}

// The milliseconds of the start and three digits: a run that has had less than a million events a
// second has given no id that a later one, or another server, can take for its own. JavaScript and
// JSON still take it for a whole number.
std::uint64_t first_id(WallTime start) {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(start.time_since_epoch()).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)) * 1000 + 1;
}

}  // namespace

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

  // The batch of its channel as one payload.
  void push(const HttpChunk& events) {
    if (ended() || backed_up()) return;
    const std::uint64_t end = channel_.ring.next_id();
    if (next_ > channel_.batch_from && next_ < end) return catch_up();  // it was ahead
    if (next_ != channel_.batch_from) return;
    next_ = end;
    server_.counters_.delivered += channel_.batch_events;
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
    slot_ = channel_.readers.size();
    channel_.readers.push_back(this);
    if (replay_.lost_from != 0) report_loss(replay_.lost_from, replay_.lost_to);
    next_ > channel_.ring.next_id() ? await_store() : catch_up();
  }
  void on_backed_up() override { ++server_.counters_.slow; }
  void on_drained() override { catch_up(); }
  void on_gone() override {
    timer_.reset();
    channel_.readers.back()->slot_ = slot_;
    channel_.readers[slot_] = channel_.readers.back();
    channel_.readers.pop_back();
  }
  void catch_up();
  void await_store();
  void report_loss(std::uint64_t from, std::uint64_t to);

  EventServer& server_;
  Channel& channel_;
  std::size_t slot_ = 0;  // in its channel
  Timer timer_;           // until the next piece of a replay
  ReplayRing::Replay replay_;
  std::uint64_t next_;  // the id of the event that it gets next
  bool finishing_ = false;
};

// A reader that is behind gets no push(), so events must be in the ring, and not in a batch that is
// still to be sent.
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
    server_.counters_.delivered += piece.count;
    server_.counters_.replayed += piece.count;
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

// It has had more at another server than this one knows of yet. What does not come while the store
// is there was in another store.
void EventServer::Reader::await_store() {
  timer_ = server_.host_.loop().after(kStoreLag, [this] {
    if (next_ <= channel_.ring.next_id()) return;
    if (server_.store_->away()) return await_store();
    next_ = channel_.ring.oldest();
    catch_up();
  });
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
      first_id_(options.store ? 1 : first_id(host.clock().wall())),
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
  options_.store ? open_store() : start();
}

void EventServer::open_store() {
  store::Stream::Handler& handler = *this;
  store_ = std::make_unique<store::Stream>(store::Surroundings{host_.loop(), host_.log()},
                                           host_.stores(), *options_.store, handler);
  store_->open();
}

// Nobody is accepted before the events that are owed are known: readers use another server.
void EventServer::start() {
  http_.tcp().listen(options_.address);
  host_.ready(http_.tcp().descriptions());
  if (options_.read_token.empty()) http_.announce_page();
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

EventServer::Channel* EventServer::channel_of(std::string_view name) {
  const std::string path = options_.channels ? http::normal_path(name) : "/";
  const auto found = channels_.find(path);
  if (found != channels_.end()) return found->second.get();
  if (channels_.size() >= options_.max_channels && !make_room()) return nullptr;
  auto channel = std::make_unique<Channel>(path, options_, first_id_);
  channel->ring.begin_with(first_entry_);
  return channels_.emplace(path, std::move(channel)).first->second.get();
}

// Of a channel that somebody has asked for and left again, and that nothing has come to.
bool EventServer::make_room() {
  const auto unused = std::ranges::find_if(channels_, [this](const auto& one) {
    const Channel& channel = *one.second;
    return &channel != main_ && channel.readers.empty() && !channel.is_used;
  });
  if (unused == channels_.end()) return false;
  channels_.erase(unused);
  return true;
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
  if (store_) return publish_stored(*channel, type, request.body);
  const std::uint64_t id = channel->ring.next_id();
  add_event(*channel, id, type, request.body);
  return HttpAnswer::text(200, std::to_string(id));
}

// Answered when the store has it, with the id that it got there.
HttpAnswer EventServer::publish_stored(const Channel& channel, std::string_view type,
                                       std::string_view text) {
  const std::uint64_t ticket = store(channel, type, text, store::Wish::refuse);
  if (ticket == 0) return HttpAnswer::text(503, store_->why_not());
  const auto later = std::make_shared<HttpLater>();
  publishing_.emplace(ticket, later);
  HttpAnswer answer;
  answer.later = later;
  return answer;
}

void EventServer::answer_publisher(std::uint64_t ticket, const HttpAnswer& answer) {
  const auto found = publishing_.find(ticket);
  if (found == publishing_.end()) return;
  const std::shared_ptr<HttpLater> later = std::move(found->second);
  publishing_.erase(found);
  later->give(answer);
}

void EventServer::on_source_record(std::string_view text, WallTime) {
  if (!store_) return add_event(*main_, main_->ring.next_id(), options_.event_type, text);
  store(*main_, options_.event_type, text, store::Wish::wait);
  if (store_->full()) sources_->pause();
}

void EventServer::add_event(Channel& channel, std::uint64_t id, std::string_view type,
                            std::string_view text) {
  std::string encoded;
  append_event(encoded, {fmt::format_int(id).c_str(), type, text});
  ++counters_.events;
  add_bytes(channel, id, std::move(encoded));
}

void EventServer::add_bytes(Channel& channel, std::uint64_t id, std::string bytes) {
  if (channel.batch.empty()) {
    channel.batch_from = channel.ring.next_id();
    channel.batch_events = 0;
  }
  ++channel.batch_events;
  channel.is_used = true;
  channel.batch += bytes;
  kept_bytes_ -= channel.ring.bytes();
  channel.ring.push(id, std::make_shared<const std::string>(std::move(bytes)));
  kept_bytes_ += channel.ring.bytes();
  keep_within_bounds();
  if (channel.batch.size() >= kMaxBatch) send_batch(channel);
}

// The channels together keep no more than one may alone; the largest gives way, and a little more
// than it must, so that not every event looks for it.
void EventServer::keep_within_bounds() {
  constexpr std::size_t kParts = 64;
  while (kept_bytes_ > options_.keep_bytes) {
    const auto largest = std::ranges::max_element(
        channels_, {}, [](const auto& one) { return one.second->ring.bytes(); });
    ReplayRing& ring = largest->second->ring;
    const std::size_t goal = options_.keep_bytes - options_.keep_bytes / kParts;
    kept_bytes_ -= ring.bytes();
    while (ring.size() > 0 && kept_bytes_ + ring.bytes() > goal) ring.drop_oldest();
    kept_bytes_ += ring.bytes();
  }
}

// ---- by way of a store

std::uint64_t EventServer::store(const Channel& channel, std::string_view type,
                                 std::string_view text, store::Wish wish) {
  store::Entry entry{.time = host_.clock().wall(), .text = std::string(text)};
  if (&channel != main_) entry.topic = channel.path;
  if (!type.empty()) entry.fields.push_back({"event", std::string(type)});
  return store_->append(std::move(entry), wish);
}

void EventServer::on_store_open() {
  if (first_entry_ == 0) begin_with(store_->last() + 1);
  start();
}

// What is before that, no channel has.
void EventServer::begin_with(std::uint64_t number) {
  first_entry_ = number;
  main_->ring.begin_with(number);
}

void EventServer::on_entry(const store::Entry& entry, std::uint64_t ticket) {
  if (first_entry_ == 0) begin_with(entry.number);
  Channel* const channel = entry.topic.empty() ? main_ : channel_of(entry.topic);
  if (channel != nullptr) add_event(*channel, entry.number, entry.field("event"), entry.text);
  if (ticket != 0) answer_publisher(ticket, HttpAnswer::text(200, std::to_string(entry.number)));
}

// In place of the events in the stream, also for readers that come back later.
void EventServer::on_lost_entries(std::uint64_t from, std::uint64_t to) {
  counters_.lost += to - from + 1;
  for (const auto& [path, channel] : channels_) {
    add_bytes(*channel, std::max(to, channel->ring.next_id()),
              comment(fmt::format("lost: {} events ({} to {})", to - from + 1, from, to)));
  }
}

void EventServer::on_refused(std::uint64_t ticket, std::string_view why) {
  answer_publisher(ticket, HttpAnswer::text(503, why));
}

void EventServer::on_store_change() {
  if (ending_) {
    if (after_store_ && !store_->settling()) std::exchange(after_store_, {})();
  } else if (store_->was_open() && !store_->full() && sources_->paused()) {
    sources_->resume();
  }
}

void EventServer::on_store_failed(ExitStatus status, const std::string& error) {
  host_.finish(status, error);
}

void EventServer::when_stored(std::function<void()> then) {
  ending_ = true;
  if (!store_ || !store_->settling()) return then();
  after_store_ = std::move(then);
}

// ---- the end

void EventServer::on_sources_end() {
  constexpr std::string_view kEnded = "the source has ended; readers are still served";
  host_.interactive() ? host_.log().notice(kEnded) : host_.log().info(kEnded);
}

bool EventServer::on_source_failed(ExitStatus status, const std::string& error) {
  status_ = status;
  error_ = error;
  when_stored([this] { end_readers(); });
  return true;
}

void EventServer::end_readers() {
  stop_accepting();
  http_.close_all_but_streams();
  http_.for_each_stream<Reader>([](Reader& reader) { reader.finish(); });
  await_readers();
  http_.tcp().when_empty([this] { finish(); });
}

// Readers that are behind get the kept events, as long as one of them makes progress.
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
  for (std::size_t i = channel.readers.size(); i-- > 0;) {
    if (i < channel.readers.size()) channel.readers[i]->push(events);
  }
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
  store_ ? store_->show(totals) : store::show_none(totals);
  add_http_totals(totals, http_);
}

void EventServer::stop_accepting() {
  sources_->pause();
  send_batches();
  http_.tcp().stop_accepting();
}

void EventServer::stop() {
  sources_->pause();
  when_stored([this] { close_all(); });
}

void EventServer::close_all() {
  stop_accepting();
  timer_ = host_.loop().after(kFarewell, [this] { finish(); });
  http_.close();
  http_.tcp().when_empty([this] { finish(); });
}

void EventServer::finish() {
  if (status_ == ExitStatus::done && store_ && store_->waiting() > 0) {
    return host_.finish(ExitStatus::again, store_->why_not_stored());
  }
  host_.finish(status_, error_);
}

}  // namespace netkit::sse
