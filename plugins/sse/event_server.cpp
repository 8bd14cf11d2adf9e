#include <algorithm>
#include <chrono>
#include <sse/event_client.hpp>
#include <sse/event_encoder.hpp>
#include <sse/event_server.hpp>
#include <sse/page.hpp>
#include <utility>

#include <netkit/plugin/sources.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file_descriptor.hpp>
#include <netkit/util/format.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxBatch = std::size_t{64} << 10U;
// How long what is queued may take to reach the readers when the server is told to stop.
constexpr Duration kFarewell = std::chrono::seconds(1);
// How long none of the readers may get on when there are no more events.
constexpr Duration kStandstill = std::chrono::seconds(5);

SharedPayload keepalive_comment() {
  std::string text;
  append_comment(text, "");
  return std::make_shared<const std::string>(std::move(text));
}

// The milliseconds of the start and three digits: a run that has had less than a million events a
// second has given no id that a later one, or another server, can take for its own. JavaScript and
// JSON still take it for a whole number.
std::uint64_t first_id(WallTime start) {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(start.time_since_epoch()).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)) * 1000 + 1;
}

}  // namespace

EventServer::EventServer(Host& host, const EventServerOptions& options)
    : host_(host),
      options_(options),
      responder_(options.cors, stream_page(options.event_type)),
      ring_(options.keep, options.keep_bytes, first_id(host.clock().wall())),
      peers_log_(host.loop(), host.log()),
      comment_(keepalive_comment()),
      last_sent_(host.loop().now()) {
  if (options_.retry) append_retry(opening_, *options_.retry);
  if (options_.tls) tls_ = TlsContext::server(*options_.tls);
  raise_descriptor_limit();
  sources_ = open_sources(host_, *this, {.stdin_when_none = true});
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  before_wait_ = host_.loop().before_wait([this] { send_batch(); });
  listeners_.emplace(
      host_.loop(), host_.log(), options_.address,
      [this](FileDescriptor socket, const Endpoint& peer) { on_accept(std::move(socket), peer); });
  host_.ready(listeners_->descriptions());
  if (options_.keepalive != kNever) {
    keepalive_ = host_.loop().after(options_.keepalive, [this] { keep_alive(); });
  }
  sources_->resume();
}

EventServer::~EventServer() = default;

void EventServer::on_accept(FileDescriptor socket, const Endpoint& peer) {
  constexpr std::size_t kRefusedAtOnce = 64;
  if (clients_.size() >= options_.max_clients + kRefusedAtOnce) {
    ++counters_.refused;
    return;
  }
  ++counters_.connections;
  apply({.keepalive = true}, socket.get());
  EventClient& client = clients_.add(std::make_unique<EventClient>(*this, peer));
  if (clients_.size() > options_.max_clients) {
    ++counters_.refused;
    refused(peer, "there are " + std::to_string(options_.max_clients) +
                      " clients already (--max-clients)");
    client.refuse_all();
  }
  client.start(std::move(socket));
}

void EventServer::remove(EventClient& client) {
  if (client.streaming()) --streaming_;
  host_.loop().destroy_later(clients_.take(client));
  if (stopping_ && clients_.empty()) finish();
}

void EventServer::refused(const Endpoint& peer, const std::string& why) {
  peers_log_.notice(peer.to_string() + ": " + why);
}

void EventServer::on_source_record(std::string_view text, WallTime) {
  std::string id;
  append_unsigned(id, ring_.next_id());
  std::string encoded;
  append_event(encoded, {id, options_.event_type, text});
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
  clients_.for_each([](EventClient& client) { client.finish(); });
  clients_.empty() ? finish() : await_readers();
  return true;
}

// Those who are behind get what is kept for them, as long as one of them takes it.
void EventServer::await_readers() {
  keepalive_ = host_.loop().after(kStandstill, [this, before = counters_.delivered] {
    before == counters_.delivered ? finish() : await_readers();
  });
}

void EventServer::send_batch() {
  if (batch_.empty()) return;
  const auto payload = std::make_shared<const std::string>(std::move(batch_));
  batch_.clear();
  send_to_all(payload, batch_from_, ring_.next_id());
}

void EventServer::send_to_all(const SharedPayload& payload, std::uint64_t from, std::uint64_t to) {
  last_sent_ = host_.loop().now();
  clients_.for_each([&](EventClient& client) {
    if (client.streaming()) client.push(payload, from, to);
  });
}

void EventServer::keep_alive() {
  const TimePoint now = host_.loop().now();
  if (now >= saturating_add(last_sent_, options_.keepalive)) {
    last_sent_ = now;
    clients_.for_each([this](EventClient& client) {
      if (client.streaming()) client.push_comment(comment_);
    });
  }
  keepalive_ =
      host_.loop().at(saturating_add(last_sent_, options_.keepalive), [this] { keep_alive(); });
}

void EventServer::fill_totals(Totals& totals) const {
  totals.add("readers", streaming_);
  totals.add("events", counters_.events);
  totals.add("delivered", counters_.delivered);
  totals.add("replayed", counters_.replayed);
  totals.add("lost", counters_.lost);
  totals.add("slow", counters_.slow);
  totals.add("connections", counters_.connections);
  totals.add("refused", counters_.refused);
  totals.add("requests", counters_.requests);
  totals.add("streams", counters_.streams);
  totals.add("bad_requests", counters_.bad_requests);
  totals.add("request_timeouts", counters_.request_timeouts);
  totals.add("kept", ring_.size());
}

void EventServer::stop_accepting() {
  stopping_ = true;
  sources_->pause();
  send_batch();
  listeners_->close();
}

void EventServer::stop() {
  stop_accepting();
  clients_.for_each([](EventClient& client) { client.close(); });
  if (clients_.empty()) return finish();
  keepalive_ = host_.loop().after(kFarewell, [this] { finish(); });
}

}  // namespace netkit::sse
