#include <chrono>
#include <sse/event_client.hpp>
#include <sse/event_encoder.hpp>
#include <sse/event_server.hpp>
#include <sse/page.hpp>
#include <utility>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/descriptor_limit.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxBatch = std::size_t{64} << 10U;
// How long what is queued may take to reach the readers at the end.
constexpr Duration kFarewell = std::chrono::seconds(1);
constexpr double kLinesPerSecond = 10;
constexpr double kLinesAtOnce = 20;

SharedPayload keepalive_comment() {
  std::string text;
  append_comment(text, "");
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

EventServer::EventServer(Host& host, const EventServerOptions& options)
    : host_(host),
      options_(options),
      responder_(options.cors, stream_page(options.event_type)),
      ring_(options.keep, options.keep_bytes),
      log_bucket_(kLinesPerSecond, kLinesAtOnce, host.loop().now()),
      comment_(keepalive_comment()),
      last_sent_(host.loop().now()) {
  if (options_.retry) append_retry(opening_, *options_.retry);
  if (options_.tls) tls_ = TlsContext::server(*options_.tls);
  raise_descriptor_limit();
  sources_ = Sources::open(host_, *this, {.stdin_when_none = true});
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  before_wait_ = host_.loop().before_wait([this] { send_batch(); });
  listen();
  if (options_.keepalive != kNever) {
    keepalive_ = host_.loop().after(options_.keepalive, [this] { keep_alive(); });
  }
  sources_->resume();
}

EventServer::~EventServer() = default;

void EventServer::listen() {
  ServerSocketOptions socket_options;
  socket_options.tcp = true;
  ServerSockets sockets = open_server_sockets(options_.address, socket_options);
  const std::vector<std::string> descriptions = sockets.descriptions();
  for (FileDescriptor& socket : sockets.tcp) {
    listeners_.push_back(std::make_unique<TcpListener>(
        host_.loop(), std::move(socket),
        [this](FileDescriptor fd, const Endpoint& peer) { on_accept(std::move(fd), peer); },
        [this](int error) {
          host_.log().notice("cannot accept a connection: " + error_text(error));
        }));
  }
  host_.ready(descriptions);
}

void EventServer::on_accept(FileDescriptor socket, const Endpoint& peer) {
  constexpr std::size_t kRefusedAtOnce = 64;
  if (clients_.size() >= options_.max_clients + kRefusedAtOnce) {
    ++counters_.refused;
    return;
  }
  ++counters_.connections;
  apply({.keepalive = true}, socket.get());
  auto client = std::make_unique<EventClient>(*this, peer);
  client->slot = clients_.size();
  clients_.push_back(std::move(client));
  if (clients_.size() > options_.max_clients) {
    ++counters_.refused;
    refused(peer, "there are " + std::to_string(options_.max_clients) +
                      " clients already (--max-clients)");
    clients_.back()->refuse_all();
  }
  clients_.back()->start(std::move(socket));
}

void EventServer::remove(EventClient& client) {
  if (client.streaming()) --streaming_;
  const std::size_t slot = client.slot;
  std::unique_ptr<EventClient> gone = std::move(clients_[slot]);
  if (slot + 1 != clients_.size()) {
    clients_[slot] = std::move(clients_.back());
    clients_[slot]->slot = slot;
  }
  clients_.pop_back();
  host_.loop().destroy_later(std::move(gone));
  if (stopping_ && clients_.empty()) host_.finish(ExitStatus::done);
}

// What peers can cause at will is said ten times a second at most.
void EventServer::refused(const Endpoint& peer, const std::string& why) {
  if (log_bucket_.take(host_.loop().now())) host_.log().notice(peer.to_string() + ": " + why);
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

void EventServer::send_batch() {
  if (batch_.empty()) return;
  const auto payload = std::make_shared<const std::string>(std::move(batch_));
  batch_.clear();
  send_to_all(payload, batch_from_, ring_.next_id());
}

// A client that a write ends is taken from the list, and the last one comes to its place.
void EventServer::send_to_all(const SharedPayload& payload, std::uint64_t from, std::uint64_t to) {
  last_sent_ = host_.loop().now();
  for (std::size_t i = clients_.size(); i-- > 0;) {
    if (i < clients_.size() && clients_[i]->streaming()) clients_[i]->push(payload, from, to);
  }
}

void EventServer::keep_alive() {
  const TimePoint now = host_.loop().now();
  if (now >= saturating_add(last_sent_, options_.keepalive)) {
    last_sent_ = now;
    for (std::size_t i = clients_.size(); i-- > 0;) {
      if (i < clients_.size() && clients_[i]->streaming()) clients_[i]->push_comment(comment_);
    }
  }
  keepalive_ =
      host_.loop().at(saturating_add(last_sent_, options_.keepalive), [this] { keep_alive(); });
}

void EventServer::fill_totals(Totals& totals) const {
  totals.gauge("readers", streaming_);
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
  totals.gauge("kept", ring_.size());
}

void EventServer::stop() {
  stopping_ = true;
  sources_->pause();
  send_batch();
  for (const auto& listener : listeners_) listener->close();
  for (std::size_t i = clients_.size(); i-- > 0;) {
    if (i < clients_.size()) clients_[i]->close();
  }
  if (clients_.empty()) return host_.finish(ExitStatus::done);
  keepalive_ = host_.loop().after(kFarewell, [this] { host_.finish(ExitStatus::done); });
}

}  // namespace netkit::sse
