#include <chat/plain_session.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

void PlainSession::on_attempt() {
  greet(host_.loop().now());
  if (!input_) open_input();
}

// Lines that have not come back are sent again to the room's next address, in order.
void PlainSession::greet(TimePoint now) {
  host_.log().info(fmt::format("sending to {}", link_->peer().to_string()));
  heard_ = false;
  out_ = datagram::PlainFanout();
  out_.tell({}, ever_heard_ ? "^hb^" : "reg");
  for (const std::string& text : unheard_) out_.tell({}, text);
  next_heartbeat_ = saturating_add(now, options_.heartbeat);
}

void PlainSession::on_datagram(const datagram::Path& from, std::string_view datagram,
                               TimePoint /*now*/) {
  ++counters_.datagrams_in;
  if (host_.finishing()) return;
  if (!ever_heard_ && datagram::is_plain_refusal(datagram)) {
    const datagram::Loss loss = datagram::plain_refused();
    return host_.finish(loss.status, loss.sentence(link_->server()));
  }
  heard_ = ever_heard_ = true;
  unheard_.clear();
  link_->succeeded();
  if (trim_white_space(datagram) == "end") {
    heard_ = false;
    return link_->failed("the room has closed", ExitStatus::unreachable);
  }
  const WallTime time = host_.clock().wall();
  host_.output().emit({.type = "datagram", .time = time, .peer = &from.peer, .payload = datagram});
  history_.add('<', from.peer.to_string(), datagram, time);
  if (++received_ == options_.count) quit();
}

void PlainSession::tick(TimePoint now) {
  if (!link_->pending()) out_.tell({}, "^hb^");
  next_heartbeat_ = saturating_add(now, options_.heartbeat);
}

bool PlainSession::drain(datagram::OutputQueue& queue, TimePoint now) {
  const std::size_t before = queue.size();
  const bool more = out_.drain(queue, now);
  counters_.datagrams_out += queue.size() - before;
  if (waiting_ && !must_hold_input()) {
    waiting_ = false;
    input_->resume();
  }
  return more;
}

void PlainSession::on_refused(const Endpoint& /*to*/, int error) {
  heard_ = false;
  link_->failed(error_text(error), ExitStatus::unreachable);
}

bool PlainSession::must_hold_input() const {
  return out_.waiting() >= kMaxQueue || (link_->outage() && unheard_.size() >= kMaxQueue);
}

void PlainSession::on_input_line(std::string_view line) {
  ++sent_;
  history_.add('>', link_->peer().to_string(), line, host_.clock().wall());
  if (!heard_ && unheard_.size() < kMaxQueue) unheard_.emplace_back(line);
  if (!link_->pending()) out_.tell({}, line);
  if (must_hold_input() && !std::exchange(waiting_, true)) input_->pause();
}

void PlainSession::on_input_end() {
  if (options_.count == 0) quit();
}

bool PlainSession::on_input_failed(ExitStatus status, const std::string& error) {
  quit(status, error);
  return true;
}

void PlainSession::quit(ExitStatus status, const std::string& error) {
  out_.tell({}, "quit");
  host_.finish(status, error);
}

void PlainSession::show(Totals& totals) const {
  totals.add("received", received_);
  totals.add("sent", sent_);
  link_->show(totals, counters_);
}

}  // namespace netkit::chat
