#include <algorithm>
#include <push/serve_command.hpp>
#include <push/topic.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/datagram/path_metrics.hpp>
#include <netkit/net/needs_key.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/store/options.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

// Records that are brought together before they are sent, within one turn of the loop.
constexpr std::size_t kMaxTogether = 512;
constexpr std::size_t kMaxBytesTogether = 256u << 10;
constexpr std::size_t kMostWaiting = 64u << 20;  // bytes of answers on the control channel
constexpr std::size_t kMaxHeld = 64u << 20;      // bytes of publishers' records that wait
constexpr std::size_t kCapacity = 2048;  // bytes of what arrives: a native datagram or a name

SlowPolicy slow_policy(std::string_view word) {
  if (word == "wait") return SlowPolicy::wait;
  return word == "drop" ? SlowPolicy::drop : SlowPolicy::skip;
}

datagram::Options read_protocol(const Values& values, SlowPolicy slow, std::size_t subscribers) {
  datagram::Options protocol;
  protocol.keep = static_cast<std::size_t>(values.integer("keep"));
  protocol.keep_bytes = static_cast<std::size_t>(values.size("keep-bytes"));
  protocol.max_held = static_cast<std::size_t>(values.size("max-memory"));
  protocol.max_queued = protocol.max_held;
  // The table limits subscribers; sessions that are ending are not counted in it.
  protocol.max_sessions = subscribers + subscribers / 8 + 16;
  protocol.lease = std::min<Duration>(values.duration("lease"), std::chrono::hours(24 * 30));
  protocol.full_at_half = true;
  protocol.overflow =
      slow == SlowPolicy::skip ? datagram::Overflow::skip_oldest : datagram::Overflow::keep_all;
  return protocol;
}

}  // namespace

void ServeCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  policy_ = answer_policy(values);
  min_subscribers_ = static_cast<std::size_t>(values.integer("min-subscribers"));
  accept_ = AnswerPolicy::read_plain(values.text("accept"));
  topic_ = values.text("topic");
  const std::string_view why = why_not_a_topic(topic_);
  if (!why.empty()) throw UsageError(fmt::format("--topic: '{}' {}", escaped_text(topic_), why));
  max_clients_ = static_cast<std::size_t>(values.integer("max-clients"));
  keep_open_ = values.flag("keep-open");
  hub_options_.slow = slow_policy(values.text("slow"));
  hub_options_.grace = values.duration("grace");
  hub_options_.last = values.flag("last");
  hub_options_.plain_rate = plain_rate(values);
  hub_options_.max_subscribers = static_cast<std::size_t>(values.integer("max-subscribers"));
  private_ = datagram::ServerPrivacy::read(values);
  publishers_ = names_in(values, "publishers");
  if (!private_.plain) policy_.plain = AnswerPolicy::Plain::none;
  datagram::Options& protocol = hub_options_.protocol =
      read_protocol(values, hub_options_.slow, hub_options_.max_subscribers);
  if (private_.keys) protocol.max_datagram -= datagram::kPrivateOverhead;
  together_ = std::clamp<std::size_t>(protocol.keep / 2, 1, kMaxTogether);
  bytes_together_ = std::min(protocol.keep_bytes / 4, kMaxBytesTogether);
  if (store::is_wanted(values)) {
    store_options_ = store::read_options(values, "push", protocol.keep);
    store_options_->lease = protocol.lease;
    store_options_->settings.keep_last = hub_options_.last;
  }
}

ExitStatus ServeCommand::run(Host& host) {
  host_ = &host;
  if (!store_options_) open_sockets();
  Hub::Handler& handler = *this;
  hub_ = std::make_unique<Hub>(hub_options_, datagram::system_random(), handler);
  datagram::ServerPrivacy::Handler& revoked = *this;
  privacy_ = std::make_unique<datagram::ServerPrivacy>(host, private_, hub_options_.protocol, *hub_,
                                                       revoked);
  drive();
  SourceDefaults defaults;
  if (!host.values().given("from")) defaults.every = std::chrono::seconds(10);
  Sources::Handler& records = *this;
  sources_ = open_sources(host, records, defaults);
  host.set_totals([this](Totals& totals) { show(totals); });
  host.set_metrics(
      [this](std::string& text) { datagram::append_path_metrics(text, hub_->paths()); });
  host.on_stop([this](StopReason) { stop(); });
  store_options_ ? open_store() : listen();
  return host.run_loop();
}

void ServeCommand::open_sockets() {
  sockets_ = open_server_sockets(
      address_, {.udp = true, .tcp = true, .udp_options = {.atomic = true}, .reuse_port = false});
  descriptions_ = sockets_.descriptions();
}

void ServeCommand::drive() {
  UdpServer::Options udp;
  udp.policy = policy_;
  udp.capacity = kCapacity;
  udp.report_unreachable = true;
  udp.log = &host_->log();
  driver_ = std::make_unique<datagram::Driver>(host_->loop(), std::move(sockets_.udp),
                                               privacy_->driven(), udp);
  turn_ = host_->loop().before_wait([this] { end_turn(); });
}

void ServeCommand::listen() {
  control_ = make_control();
  for (FileDescriptor& listening : sockets_.tcp) control_->listen(std::move(listening));
  host_->ready(descriptions_);
  privacy_->say_if_open(driver_->sockets());
}

void ServeCommand::open_store() {
  store::Stream::Handler& handler = *this;
  store_ = std::make_unique<store::Stream>(store::Surroundings{host_->loop(), host_->log()},
                                           host_->stores(), *store_options_, handler);
  store_->open();
}

// The store's entries have been read, and subscribers may request them. Until then nothing listens
// here, because it is not known what a subscriber has already received, and they use another
// server.
void ServeCommand::on_store_open() {
  hub_->number_by(store_->state().stream, store_->last() + 1);
  open_sockets();
  drive();
  listen();
}

void ServeCommand::on_last_entry(const store::Entry& entry) {
  hub_->remember(entry.number, entry.topic, entry.text);
}

void ServeCommand::on_entry(const store::Entry& entry, std::uint64_t) {
  const bool is_topic = why_not_a_topic(entry.topic).empty();
  if (deliver(is_topic ? std::string_view(entry.topic) : "", entry.text, entry.number)) {
    steer_sources();
  }
}

// ---- the control channel, and what publishers send

// With keys, clients that have one use TLS there.
std::unique_ptr<TcpServer> ServeCommand::make_control() {
  TcpServer::Options options{.access = policy_.access,
                             .max_clients = max_clients_,
                             .all_waiting = kMostWaiting,
                             .tcp = {.no_delay = true, .keepalive = true}};
  if (private_.keys) {
    control_tls_ = TlsContext::server(
        {.psk_keys = private_.keys, .psk_file = private_.psk_file, .also_clear = true});
    options.tls = control_tls_;
  }
  return make_control_server(host_->loop(), host_->log(), options, *hub_, *this);
}

void ServeCommand::on_keys(const PskKeys& keys) {
  if (control_) replace_psk_keys(*control_, keys);
}

std::string ServeCommand::identity_of(const ByteStream& stream) const {
  return control_tls_ ? control_tls_->identity_of(stream) : std::string();
}

// Clear text proves nothing: where a key is required, it is accepted from this machine only.
std::string ServeCommand::why_closed(const Endpoint& peer, std::string_view identity) const {
  const bool is_open = private_.plain || !identity.empty() || peer.address().is_loopback();
  return is_open ? std::string() : std::string(kNeedsKey);
}

std::string ServeCommand::why_refused(const Endpoint& peer, std::string_view identity,
                                      std::size_t length) {
  const bool is_accepted =
      accept_ == AnswerPolicy::Plain::all ||
      (accept_ == AnswerPolicy::Plain::local && networks_.is_on_link(peer.address()));
  if (identity.empty() && !is_accepted) {
    return "publishers from this address are not accepted (--accept)";
  }
  if (!identity.empty() && !publishers_.empty() && !publishers_.contains(identity)) {
    return fmt::format("'{}' may not publish (--publishers)", identity);
  }
  const std::size_t most = hub_options_.protocol.max_message;
  if (length > most) return fmt::format("a record has at most {} bytes", most);
  return {};
}

void ServeCommand::publish(std::string_view topic, std::string_view text, Answer answer) {
  if (ended_ || stopping_) return answer("the server is closing");
  if (must_hold() || !held_.empty()) return hold(topic, text, std::move(answer));
  take(topic, text, std::move(answer));
}

void ServeCommand::take(std::string_view topic, std::string_view text, Answer answer) {
  if (!store_) {
    deliver(topic, text, 0);
    return answer({});
  }
  const std::uint64_t ticket = store_->append(
      {.time = host_->clock().wall(), .topic = std::string(topic), .text = std::string(text)},
      store::Wish::refuse);
  if (ticket == 0) return answer(store_->why_not());
  publishing_.emplace(ticket, std::move(answer));
}

// Whether publishers must wait: a subscriber lags, and nothing is skipped for it.
bool ServeCommand::must_hold() const {
  return hub_options_.slow != SlowPolicy::skip && hub_->someone_lags();
}

void ServeCommand::hold(std::string_view topic, std::string_view text, Answer answer) {
  const std::size_t size = sizeof(Held) + topic.size() + text.size();
  if (size > kMaxHeld - held_bytes_) return answer("too many records wait for slow subscribers");
  held_bytes_ += size;
  held_.push_back({std::string(topic), std::string(text), std::move(answer)});
}

void ServeCommand::take_held() {
  if (held_.empty() || must_hold()) return;
  while (!held_.empty() && !must_hold()) {
    Held next = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= sizeof(Held) + next.topic.size() + next.text.size();
    take(next.topic, next.text, std::move(next.answer));
  }
  driver_->send_round();
}

void ServeCommand::on_stored(std::uint64_t ticket) {
  while (!publishing_.empty() && publishing_.begin()->first <= ticket) {
    const Answer answer = std::move(publishing_.begin()->second);
    publishing_.erase(publishing_.begin());
    answer({});
  }
}

void ServeCommand::on_refused(std::uint64_t ticket, std::string_view why) {
  const auto found = publishing_.find(ticket);
  if (found == publishing_.end()) return;
  const Answer answer = std::move(found->second);
  publishing_.erase(found);
  answer(why);
}

void ServeCommand::on_store_failed(ExitStatus status, const std::string& error) {
  host_->finish(status, error);
}

void ServeCommand::on_not_sent(const Endpoint& to, int error) {
  if (host_->log().enabled(LogLevel::info)) {
    host_->log().info(fmt::format("not sent to {}: {}", to.to_string(), error_text(error)));
  }
}

// Records of sources that end will not come again, unlike a ticker's.
void ServeCommand::say_nobody() {
  const bool nobody = hub_->size() == 0 && sources_->has_input();
  if (nobody && !said_nobody_) {
    host_->log().notice(
        "there are no subscribers: records reach nobody (--min-subscribers 1 waits for one)");
  }
  said_nobody_ = nobody;
}

void ServeCommand::on_source_record(std::string_view text, WallTime time) {
  say_nobody();
  if (!hub_->fits(text)) return say_too_long(text.size());
  if (!store_) {
    if (deliver(topic_, text, 0)) steer_sources();
    return;
  }
  store_->append({.time = time, .topic = topic_, .text = std::string(text)}, store::Wish::wait);
  if (store_->full()) sources_->pause();
}

void ServeCommand::say_too_long(std::size_t size) {
  hub_->count_too_long();
  const TimePoint now = host_->loop().now();
  if (now < silent_until_) return;
  silent_until_ = now + std::chrono::seconds(1);
  host_->log().error(fmt::format("a record of {} bytes is skipped: the limit is {}", size,
                                 hub_options_.protocol.max_message));
}

// True: a round has been sent.
bool ServeCommand::deliver(std::string_view topic, std::string_view text, std::uint64_t number) {
  hub_->publish(text, number, topic);
  if (hub_->pending_records() < together_ && hub_->pending_bytes() < bytes_together_) return false;
  driver_->send_round();
  return true;
}

bool ServeCommand::on_source_failed(ExitStatus status, const std::string& error) {
  ended_ = true;
  status_ = status;
  error_ = error;
  return true;
}

// After the driver has sent a round.
void ServeCommand::end_turn() {
  if (host_->finishing()) return;
  steer_sources();
  take_held();
  check_end();
}

// Whether the sources must pause: the sockets are full, earlier records are still being sent, or a
// subscriber lags.
bool ServeCommand::must_hold_sources() {
  if (driver_->sockets().blocked() || hub_->plain_waiting() > 0) return true;
  if (driver_->more() && sources_->has_input()) return true;
  const TimePoint now = host_->loop().now();
  const TimePoint until = hub_->hold_until(now);
  if (until <= now) {
    grace_.reset();
    return false;
  }
  if (hub_options_.slow == SlowPolicy::wait) return true;
  grace_ = host_->loop().at(until, [] {});  // the turn's end looks again
  return sources_->has_input();
}

void ServeCommand::steer_sources() {
  started_ = started_ || hub_->reachable() >= min_subscribers_;
  const bool is_behind = store_ && (store_->full() || !store_->was_open());
  const bool hold = must_hold_sources() || !started_ || is_behind || stopping_;
  if (hold == sources_->paused()) return;
  hold ? sources_->pause() : sources_->resume();
}

void ServeCommand::check_end() {
  if (stopping_ && !store_->settling()) return leave();
  if (!ended_ || !held_.empty() || (store_ && store_->waiting() > 0)) return;
  if (!finishing_) {
    finishing_ = true;
    hub_->finish(host_->loop().now());
    driver_->send_round();
  }
  if (hub_->sessions() == 0 && !driver_->more() && !driver_->sockets().blocked()) {
    host_->finish(status_, error_);
  }
}

// Published records go to a store that is available first, and their publishers are told.
void ServeCommand::stop() {
  for (const Held& held : std::exchange(held_, {})) held.answer("the server is closing");
  if (!store_ || !store_->settling()) return leave();
  stopping_ = true;
  control_->stop_accepting();
  sources_->pause();
}

void ServeCommand::leave() {
  control_.reset();
  driver_->flush();  // what was published before is on its way to all
  hub_->close();
  driver_->flush();
  if (store_ && store_->waiting() > 0) {
    return host_->finish(ExitStatus::again, store_->why_not_stored());
  }
  host_->finish(status_, error_);
}

void ServeCommand::on_subscribed(const Subscriber& subscriber) {
  emit("subscribed", subscriber, {});
}

void ServeCommand::on_unsubscribed(const Subscriber& subscriber, std::string_view why,
                                   std::uint64_t undelivered) {
  emit("unsubscribed", subscriber, why);
  if (!subscriber.plain() && host_->log().enabled(LogLevel::protocol)) {
    host_->log().protocol(fmt::format("{}: {}", subscriber.address.to_string(),
                                      datagram::path_text(hub_->path_of(subscriber))));
  }
  if (undelivered == 0) return;
  host_->log().error(fmt::format("{} is {}: {} records for {} are not delivered",
                                 subscriber.address.to_string(), why, undelivered,
                                 subscriber.name));
}

void ServeCommand::emit(std::string_view type, const Subscriber& subscriber, std::string_view why) {
  const std::string_view kind = subscriber.plain() ? "plain" : "native";
  const Field fields[] = {{"name", subscriber.name}, {"kind", kind}, {"reason", why}};
  host_->output().emit({.type = type,
                        .time = host_->clock().wall(),
                        .peer = &subscriber.address,
                        .fields = std::span(fields, why.empty() ? 2 : 3)});
}

void ServeCommand::on_full(const Endpoint& peer, std::string_view why) {
  if (control_) control_->notice(fmt::format("{} refused: {}", peer.to_string(), why));
}

void ServeCommand::show(Totals& totals) const {
  const HubCounters& hub = hub_->counters();
  const datagram::Counters& native = hub_->protocol_counters();
  totals.add("records", hub.records);
  totals.add("bytes", hub.bytes);
  totals.add("subscribers", hub_->size());
  totals.add("subscribed", hub.subscribed);
  totals.add("unsubscribed", hub.unsubscribed);
  totals.add("delivered", native.messages_acked);
  totals.add("lost", native.dropped + hub.undelivered);
  totals.add("too_long", hub.too_long);
  totals.add("refused_full", hub.refused_full);
  totals.add("refused_plain", hub.refused_plain);
  totals.add("refused_share", hub.refused_share);
  totals.add("dropped_plain_rate", hub_->plain_over_rate());
  totals.add("refused_name", hub.refused_name);
  totals.add("dropped_slow", hub.dropped_slow);
  add_refusals(totals, driver_->policy().refused());
  privacy_->show(totals);
  store_ ? store_->show(totals) : store::show_none(totals);
  driver_->show(totals, native);
}

}  // namespace netkit::push
