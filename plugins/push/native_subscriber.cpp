#include <cerrno>
#include <push/hub.hpp>
#include <push/native_subscriber.hpp>
#include <push/payload.hpp>
#include <utility>
#include <vector>

#include <netkit/util/error.hpp>

namespace netkit::push {

namespace {

// A server that is being restarted refuses a while; so many heartbeats it may.
constexpr int kRefusals = 3;

UdpClient::Options client_options(const Log& log) {
  UdpClient::Options options;
  options.socket.gro = true;
  options.log = &log;
  return options;
}

}  // namespace

NativeSubscriber::NativeSubscriber(EventLoop& loop, const Endpoint& server, std::string name,
                                   const datagram::Options& options, Position& position,
                                   Subscription::Handler& handler, const Log& log)
    : loop_(loop),
      name_(std::move(name)),
      position_(position),
      handler_(handler),
      client_(options, server, datagram::system_random(), *this),
      driver_(loop, std::vector{server}, *this, client_options(log)) {
  const Request request{position_.stream, position_.next, name_};
  client_.connect(encode(request), loop_.clock().now());
}

void NativeSubscriber::on_datagram(const datagram::Path&, std::string_view datagram,
                                   TimePoint now) {
  refused_ = 0;
  if (!over_) client_.on_datagram(datagram, now);
}

TimePoint NativeSubscriber::next_deadline() const {
  return over_ ? TimePoint::max() : client_.next_deadline();
}

bool NativeSubscriber::drain(datagram::OutputQueue& queue, TimePoint now) {
  return !over_ && client_.drain(queue, now);
}

void NativeSubscriber::on_refused(const Endpoint&, int error) {
  if (error != ECONNREFUSED && error != EHOSTUNREACH && error != ENETUNREACH) return;
  if (client_.on_refused()) return;
  if (client_.connected() && ++refused_ < kRefusals) return;
  lose(error_text(error), true, ExitStatus::unreachable);
}

void NativeSubscriber::on_connected(std::string_view payload) {
  const auto welcome = decode_welcome(payload);
  if (!welcome) {
    lose("the server's answer is not one of push", false, ExitStatus::protocol);
    return;
  }
  const bool other = position_.stream != 0 && position_.stream != welcome->stream;
  position_.stream = welcome->stream;
  position_.next = welcome->first;
  client_.expect_record(welcome->first);
  handler_.on_subscribed();
  if (other) handler_.on_new_stream(welcome->first);
}

void NativeSubscriber::on_rejected(std::uint16_t code, std::string_view text) {
  using datagram::RejectCode;
  const std::string why = "refused: " + std::string(text);
  switch (static_cast<RejectCode>(code)) {
    case RejectCode::full:
      return lose(why, true, ExitStatus::again);
    case RejectCode::forbidden:
      return lose(why, false, ExitStatus::permission);
    default:
      return lose(why, false, ExitStatus::protocol);
  }
}

void NativeSubscriber::on_message(std::uint64_t record, std::string_view message) {
  if (over_) return;
  position_.next = record + 1;
  handler_.on_record(record, message);
}

void NativeSubscriber::on_gap(const datagram::Gap& gap) {
  if (over_ || gap.from == 0) return;
  position_.next = gap.to + 1;
  handler_.on_gap(gap.from, gap.to);
}

void NativeSubscriber::on_bye(std::string_view text) {
  if (text == reason::kMoved) {
    lose("another subscriber took the name " + name_, false, ExitStatus::again);
  } else if (text == reason::kAsked) {
    lose("the server unsubscribed " + name_, false, ExitStatus::again);
  } else {
    lose(text.empty() ? "the server said good-bye" : std::string(text), true,
         ExitStatus::unreachable);
  }
}

void NativeSubscriber::on_left(datagram::LeftReason reason, std::string_view text) {
  using datagram::LeftReason;
  switch (reason) {
    case LeftReason::ended:
      // The acknowledgement must leave before this ends.
      loop_.defer([this] {
        driver_.flush();
        over_ = true;
        handler_.on_ended();
      });
      return;
    case LeftReason::bye:
      return on_bye(text);
    case LeftReason::reset:
      return lose("the server does not know this subscriber any more", true,
                  ExitStatus::unreachable);
    case LeftReason::version:
      return lose("the server speaks another version of the protocol", false, ExitStatus::protocol);
    case LeftReason::timeout:
      return lose("no answer", true, ExitStatus::unreachable);
    default:
      return lose("the server is silent", true, ExitStatus::unreachable);
  }
}

void NativeSubscriber::lose(const std::string& why, bool again, ExitStatus status) {
  if (over_) return;
  over_ = true;
  handler_.on_lost(why, again, status);
}

void NativeSubscriber::leave() {
  if (over_) return;
  client_.leave("leaving", loop_.now());
  driver_.flush();
  over_ = true;
}

}  // namespace netkit::push
