#include <chat/plain_session.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

PlainSession::PlainSession(Host& host, const JoinOptions& options)
    : host_(host), options_(options), history_(host.log()) {}

void PlainSession::send(std::string_view text) {
  out_.tell({}, text);
  if (!heard_ && unheard_.size() < kMaxQueue) unheard_.emplace_back(text);
}

void PlainSession::on_datagram(const datagram::Path& from, std::string_view datagram,
                               TimePoint /*now*/) {
  if (host_.finishing()) return;
  heard_ = true;
  unheard_.clear();
  if (std::exchange(unreachable_, false))
    host_.log().notice(fmt::format("{} is back", from.peer.to_string()));
  if (trim_white_space(datagram) == "end") {
    return host_.finish(ExitStatus::unreachable,
                        fmt::format("the room {} has closed", from.peer.to_string()));
  }
  const WallTime time = host_.clock().wall();
  host_.output().emit({.type = "datagram", .time = time, .peer = &from.peer, .payload = datagram});
  history_.add('<', from.peer.to_string(), datagram, time);
  if (++received_ == options_.count) quit();
}

void PlainSession::tick(TimePoint now) {
  send("^hb^");
  next_heartbeat_ = saturating_add(now, options_.heartbeat);
}

bool PlainSession::drain(datagram::OutputQueue& queue, TimePoint /*now*/) {
  const bool more = out_.drain(queue);
  if (!more && std::exchange(waiting_, false) && input_) input_->resume();
  return more;
}

void PlainSession::on_refused(const Endpoint& to, int error) {
  if (std::exchange(unreachable_, true)) return;
  host_.log().notice(Outage::sentence(to.to_string(), error_text(error)));
}

// What was said is said to the next address of the room, in order.
void PlainSession::on_next_address(TimePoint /*now*/) {
  host_.log().info(fmt::format("sending to {}", server().to_string()));
  out_ = datagram::PlainFanout();
  for (const std::string& text : std::exchange(unheard_, {})) send(text);
}

void PlainSession::on_input_line(std::string_view line) {
  send(line);
  ++sent_;
  history_.add('>', server().to_string(), line, host_.clock().wall());
  if (out_.waiting() >= kMaxQueue && !waiting_ && input_) {
    waiting_ = true;
    input_->pause();
  }
}

void PlainSession::on_input_end() {
  if (options_.count == 0) quit();
}

bool PlainSession::on_input_failed(ExitStatus status, const std::string& error) {
  quit(status, error);
  return true;
}

void PlainSession::quit(ExitStatus status, const std::string& error) {
  send("quit");
  host_.finish(status, error);
}

ExitStatus PlainSession::run() {
  std::vector<Endpoint> addresses = resolve(options_.address);
  history_.open(options_.history);
  UdpClient::Options udp;
  udp.sources = options_.address.sources;
  udp.log = &host_.log();
  driver_ = std::make_unique<datagram::Driver>(host_.loop(), std::move(addresses), *this, udp);
  host_.log().info(fmt::format("sending to {}", server().to_string()));
  send("reg");
  next_heartbeat_ = saturating_add(host_.loop().now(), options_.heartbeat);
  host_.set_totals([this](Totals& totals) {
    totals.add("received", received_);
    totals.add("sent", sent_);
    totals.add("kernel_drops", driver_->sockets().kernel_drops());
  });
  host_.on_stop([this](StopReason) { quit(); });
  Input::Options options;
  options.history = "chat_history";
  input_ = Input::open(host_, *this, std::move(options));
  const ExitStatus status = host_.run_loop();
  input_.reset();
  driver_->flush();
  return history_.outcome(status);
}

}  // namespace netkit::chat
