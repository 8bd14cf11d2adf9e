#include <cerrno>
#include <push/hub.hpp>
#include <push/native_subscriber.hpp>
#include <push/payload.hpp>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit::push {

namespace {

constexpr std::size_t kBatch = 32;
constexpr int kBatchesPerTurn = 8;
// A server that is being restarted refuses a while; so many heartbeats it may.
constexpr int kRefusals = 3;

UdpSocket connected_socket(const Endpoint& server) {
  UdpOptions options;
  options.gro = true;
  UdpSocket socket(server.family(), options);
  socket.connect(server);
  return socket;
}

}  // namespace

NativeSubscriber::NativeSubscriber(EventLoop& loop, const Endpoint& server, std::string name,
                                   const datagram::Options& options, Position& position,
                                   Subscription::Handler& handler)
    : loop_(loop),
      server_(server),
      name_(std::move(name)),
      position_(position),
      handler_(handler),
      socket_(connected_socket(server)),
      receiver_(kBatch),
      client_(options, server, datagram::system_random(), *this),
      watch_(loop.watch(socket_.fd(), Interest::read, [this](Ready ready) { on_ready(ready); })) {
  const Request request{position_.stream, position_.next, name_};
  client_.connect(encode(request), loop_.clock().now());
  pump();
}

void NativeSubscriber::on_ready(Ready ready) {
  if (ready.writable && blocked_) pump();
  if (ready.readable) read();
}

void NativeSubscriber::read() {
  for (int i = 0; i < kBatchesPerTurn && !over_; ++i) {
    const DatagramReceiver::Result result = receiver_.receive(socket_);
    for (const ReceivedMessage& message : result.messages) {
      for_each_datagram(message, [this](std::string_view datagram) {
        if (!over_) client_.on_datagram(datagram, loop_.now());
      });
      refused_ = 0;
    }
    if (result.messages.empty() && result.error != EAGAIN) on_error(result.error);
    if (result.messages.size() < kBatch) break;
  }
  pump();
}

void NativeSubscriber::on_error(int error) {
  if (error != ECONNREFUSED && error != EHOSTUNREACH && error != ENETUNREACH) return;
  if (client_.connected() && ++refused_ < kRefusals) return;
  lose(error_text(error), true, ExitStatus::unreachable);
}

void NativeSubscriber::pump() {
  if (over_) return;
  bool more = true;
  if (blocked_) {
    blocked_ = sender_.flush(socket_) > 0;
    if (!blocked_) queue_.clear();
  }
  while (more && !blocked_) {
    more = client_.drain(queue_, loop_.now());
    for (const auto& item : queue_.items()) sender_.add(item.to, item.head, item.body);
    blocked_ = sender_.flush(socket_) > 0;
    if (!blocked_) queue_.clear();
  }
  watch_.set(blocked_ ? Interest::both : Interest::read);
  const TimePoint next = client_.next_deadline();
  if (next == TimePoint::max() || (timer_.pending() && timer_at_ <= next)) return;
  timer_at_ = next;
  timer_ = loop_.at(next, [this] {
    client_.tick(loop_.now());
    pump();
  });
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
        pump();
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
  timer_.reset();
  handler_.on_lost(why, again, status);
}

void NativeSubscriber::leave() {
  if (over_) return;
  client_.leave("leaving", loop_.now());
  pump();
  over_ = true;
  timer_.reset();
}

}  // namespace netkit::push
