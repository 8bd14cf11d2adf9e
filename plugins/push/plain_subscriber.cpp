#include <cerrno>
#include <push/plain_subscriber.hpp>
#include <utility>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/error.hpp>

namespace netkit::push {

namespace {

constexpr std::size_t kBatch = 32;
constexpr int kBatchesPerTurn = 8;

UdpSocket connected_socket(const Endpoint& server) {
  UdpOptions options;
  options.gro = true;
  UdpSocket socket(server.family(), options);
  socket.connect(server);
  return socket;
}

}  // namespace

PlainSubscriber::PlainSubscriber(EventLoop& loop, const Endpoint& server, std::string name,
                                 Handler& handler, const Log& log)
    : loop_(loop),
      server_(server),
      name_(std::move(name)),
      handler_(handler),
      log_(log),
      socket_(connected_socket(server)),
      receiver_(kBatch),
      repeat_(loop.every(kRepeat, [this] { register_name(); })),
      watch_(loop.watch(socket_.fd(), Interest::read, [this](Ready) { read(); })) {
  loop_.defer([this] {
    handler_.on_subscribed();
    register_name();
  });
}

void PlainSubscriber::register_name() {
  if (over_) return;
  log_sent(log_, server_, name_, "plain");
  const IoResult result = socket_.send(name_);
  if (!result.ok() && !result.would_block()) on_error(result.error);
}

void PlainSubscriber::read() {
  for (int i = 0; i < kBatchesPerTurn && !over_; ++i) {
    const DatagramReceiver::Result result = receiver_.receive(socket_);
    if (!result.messages.empty()) handler_.on_alive();
    for (const ReceivedMessage& message : result.messages) {
      for_each_datagram(message, [this](std::string_view text) {
        log_received(log_, server_, text, "plain");
        handler_.on_record(0, text);
      });
    }
    if (result.messages.empty() && result.error != EAGAIN) on_error(result.error);
    if (result.messages.size() < kBatch) break;
  }
}

void PlainSubscriber::on_error(int error) {
  if (over_) return;
  over_ = true;
  handler_.on_lost(error_text(error), true, ExitStatus::unreachable);
}

}  // namespace netkit::push
