#include <algorithm>
#include <ctime>
#include <echo/udp_responder.hpp>
#include <sys/prctl.h>
#include <utility>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/random.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kBatch = 64;            // messages a system call
constexpr std::size_t kBacklog = kBatch / 4;  // after so many, more has come meanwhile
constexpr int kBatchesPerTurn = 4;            // then timers and other sockets have their turn

std::uint64_t random_number() {
  std::uint64_t number = 0;
  fill_random(&number, sizeof number);
  return number;
}

// Of this thread: the kernel may otherwise lengthen each sleep by 50 us.
void make_sleeps_exact() {
  ::prctl(PR_SET_TIMERSLACK, 1);
}

// Shorter when a signal comes, which does no harm.
void sleep_for(Duration duration) {
  const timespec time{0, static_cast<long>(duration.count())};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

LoopGuard::Options guard_options(const ServeSettings& settings) {
  return {.any_content = !settings.reply.is_payload_only(), .seed = random_number()};
}

AnswerPolicy::Options policy_options(const ServeSettings& settings) {
  return {.any_port = settings.any_port,
          .access = settings.access,
          .rate = {.per_second = settings.rate, .seed = random_number()}};
}

}  // namespace

UdpResponder::UdpResponder(EventLoop& loop, UdpSocket socket, const ServeSettings& settings,
                           Printer& printer, const Log& log)
    : loop_(loop),
      socket_(std::move(socket)),
      settings_(settings),
      printer_(printer),
      log_(log),
      policy_(policy_options(settings),
              {[this](const IpAddress& address) { return networks_.is_own(address); },
               [this](const IpAddress& address) { return networks_.is_broadcast(address); }},
              socket_.local()),
      guard_(guard_options(settings)),
      probe_(loop, socket_.local(), [this](const Endpoint& peer) { on_probe_answer(peer); }),
      receiver_(kBatch),
      sender_({.group = true}),
      last_batch_(loop.now()),
      watch_(loop.watch(socket_.fd(), Interest::read, [this](Ready) { on_ready(); })) {}

void UdpResponder::on_ready() {
  if (watch_.interest() == Interest::write) {
    if (!flush()) return;
    watch_.set(Interest::read);
  }
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    if (!read_batch()) break;
    if (i + 1 == kBatchesPerTurn) return;  // there is more already
  }
  if (pause_ > Duration::zero()) sleep_for(pause_);
}

// Says whether there is likely more to read.
bool UdpResponder::read_batch() {
  const DatagramReceiver::Result result = receiver_.receive(socket_);
  if (result.messages.empty()) return false;
  const std::uint64_t before = counters_.received;
  for (const ReceivedMessage& message : result.messages) answer(message);
  queue_rendered();
  tune(result.messages.size(), counters_.received - before);
  if (!flush()) {
    watch_.set(Interest::write);
    return false;
  }
  return result.messages.size() >= (pause_ > Duration::zero() ? kBatch : kBacklog);
}

// A super-packet is one message of several datagrams.
void UdpResponder::tune(std::size_t messages, std::size_t datagrams) {
  const TimePoint now = loop_.now();
  const std::uint64_t wakeups = loop_.counters().wakeups;
  const Duration gap = now - last_batch_;
  loop_.set_spin(spin_.on_batch(messages, gap, wakeups == last_wakeups_));
  const Duration pause = gather_.on_batch(datagrams, gap);
  if (pause > Duration::zero() && pause_ == Duration::zero()) make_sleeps_exact();
  pause_ = pause;
  last_batch_ = now;
  last_wakeups_ = wakeups;
}

void UdpResponder::answer(const ReceivedMessage& message) {
  const Endpoint& peer = *message.peer;
  const std::size_t segments = message.segments();
  counters_.received += segments;
  counters_.bytes_received += message.data.size();
  if (log_.enabled(LogLevel::protocol)) {
    for_each_datagram(message, [&](std::string_view one) { log_received(log_, peer, one); });
  }
  const Refusal refusal = policy_.judge(peer, message.destination);
  if (refusal != Refusal::none) {
    counters_.refused[static_cast<std::size_t>(refusal)] += segments;
    return;
  }
  const std::size_t allowed = policy_.within_rate(peer.address(), segments, loop_.now());
  counters_.dropped_rate += segments - allowed;
  if (allowed == 0) return;
  const std::string_view data =
      allowed == segments ? message.data : message.data.substr(0, allowed * message.segment_size);
  const std::string_view first =
      message.segment_size == 0 ? data : data.substr(0, message.segment_size);
  const auto verdict = guard_.on_datagram(peer, first, allowed, loop_.now());
  if (verdict == LoopGuard::Verdict::drop) {
    counters_.dropped_loop += allowed;
    return;
  }
  if (verdict == LoopGuard::Verdict::probe) probe(message, first);
  if (settings_.reply.is_payload_only()) queue_unchanged(message, data);
  visit_datagrams(message, data);
}

void UdpResponder::queue_unchanged(const ReceivedMessage& message, std::string_view data) {
  log_sent(log_, *message.peer, data);
  if (message.destination.is_unspecified()) {
    sender_.add_segments(*message.peer, data, message.segment_size);
  } else {
    sender_.add_segments_from(*message.peer, data, message.segment_size, message.destination, 0);
  }
}

// What has to be done with each datagram by itself; with the default reply and -q that is nothing.
void UdpResponder::visit_datagrams(const ReceivedMessage& message, std::string_view data) {
  const bool rendering = !settings_.reply.is_payload_only();
  const bool printing = printer_.wanted();
  if (!rendering && !printing) return;
  const WallTime time = loop_.clock().wall();
  ReceivedMessage allowed = message;
  allowed.data = data;
  for_each_datagram(allowed, [&](std::string_view datagram) {
    const Message entry{"udp", ++number_, time, message.peer, datagram};
    if (rendering) render(message, entry);
    if (printing) printer_.print(entry);
  });
}

void UdpResponder::render(const ReceivedMessage& message, const Message& entry) {
  const std::size_t begin = arena_.size();
  with_record(entry, [this](const Record& record) {
    settings_.reply.render(record, arena_, Escaping::none);
  });
  rendered_.push_back({*message.peer, message.destination, begin, arena_.size() - begin});
}

// The arena has stopped growing, so that the sender may refer to it.
void UdpResponder::queue_rendered() {
  const std::string_view arena = arena_;
  for (const Rendered& reply : rendered_) {
    const std::string_view data = arena.substr(reply.begin, reply.size);
    log_sent(log_, reply.peer, data);
    if (reply.from.is_unspecified()) {
      sender_.add(reply.peer, data);
    } else {
      sender_.add_from(reply.peer, data, reply.from, 0);
    }
  }
}

// Says whether everything has gone; what it leaves refers to the receiver's buffers and the arena.
bool UdpResponder::flush() {
  if (sender_.flush(socket_) > 0) return false;
  arena_.clear();
  rendered_.clear();
  return true;
}

void UdpResponder::probe(const ReceivedMessage& message, std::string_view datagram) {
  std::string reply;
  with_record({"udp", number_ + 1, loop_.clock().wall(), message.peer, datagram},
              [&](const Record& record) { settings_.reply.render(record, reply, Escaping::none); });
  probe_.send(*message.peer, reply, LoopGuard::kProbeWait);
}

void UdpResponder::on_probe_answer(const Endpoint& peer) {
  if (!guard_.on_probe_answer(peer, loop_.now())) return;
  log_.notice(peer.to_string() + " answers answers: not answered any more, to stop a loop");
}

void UdpResponder::add_to(ServeCounters& counters) const {
  counters += counters_;
  const DatagramSenderCounters& sent = sender_.counters();
  counters.sent += sent.datagrams;
  counters.bytes_sent += sent.bytes;
  counters.unsendable += sent.refused + sent.no_room;
  counters.too_big += sent.too_big;
  counters.kernel_drops += receiver_.kernel_drops();
  counters.loops += guard_.loops();
}

}  // namespace netkit::echo
