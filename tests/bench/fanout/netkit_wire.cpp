// Native subscribers of netkit push and members of netkit chat, each with a socket of its own as
// netkit's have, in clear and with keys.
#include "subscriber.hpp"

#include <chat/payload.hpp>
#include <chrono>
#include <optional>
#include <push/payload.hpp>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/private_client.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/udp_socket.hpp>

namespace fanout {
namespace {

using netkit::DatagramReceiver;
using netkit::DatagramSender;
using netkit::Endpoint;
using netkit::TimePoint;
using netkit::UdpOptions;
using netkit::UdpSocket;

UdpSocket connected(const Endpoint& server) {
  UdpOptions options;
  options.gro = true;
  UdpSocket socket(server.family(), options);
  socket.connect(server);
  return socket;
}

TimePoint now() {
  return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

std::string name_of(std::size_t number) {
  return "s" + std::to_string(number);
}

// The payload of CONNECT: from now on, of whatever there is.
std::string request(Dialect dialect, std::size_t number) {
  const std::string name = name_of(number);
  if (dialect == Dialect::push) return netkit::push::encode(netkit::push::Request{0, 0, name});
  std::string bytes;
  encode(netkit::chat::Hello{.instance = number, .since = netkit::chat::kSinceNow, .name = name},
         bytes);
  return bytes;
}

// The payload of ACCEPT: which message is the first.
std::uint64_t first_of(Dialect dialect, std::string_view answer) {
  if (dialect == Dialect::push) return netkit::push::decode_welcome(answer).value().first;
  return netkit::chat::decode_welcome(answer).value().first;
}

// Of what a message is, the text is at its end.
std::size_t text_size(std::string_view message) {
  return message.size() - 1 - message.find_last_not_of(kFill);
}

netkit::datagram::Options options(bool with_keys) {
  netkit::datagram::Options made;
  if (with_keys) made.max_datagram -= netkit::datagram::kPrivateOverhead;
  return made;
}

class NativeSubscriber final : public Subscriber,
                               private netkit::datagram::Driver::Handler,
                               private netkit::datagram::PrivateClient::Handler,
                               private netkit::datagram::Client::Handler {
 public:
  // `keys`: null in clear.
  NativeSubscriber(const Endpoint& server, std::size_t number, DatagramReceiver& receiver,
                   const netkit::PskKeys* keys, Dialect dialect)
      : server_(server),
        dialect_(dialect),
        request_(request(dialect, number)),
        socket_(connected(server)),
        receiver_(receiver),
        client_(options(keys != nullptr), server, netkit::datagram::system_random(), *this) {
    client_.connect(request_, now());
    if (keys != nullptr) {
      netkit::datagram::PrivateClient::Handler& self = *this;
      netkit::datagram::Driver::Handler& inner = *this;
      private_.emplace(netkit::choose_identity(*keys, name_of(number), "keys"),
                       netkit::datagram::PrivateClient::Options{}, inner, self);
      private_->begin(now());
    }
    answer();
  }
  int fd() const override { return socket_.fd(); }
  bool ready() const override { return ready_; }
  std::uint64_t read() override {
    const TimePoint at = now();
    for (const auto& message : receiver_.receive(socket_).messages) {
      netkit::for_each_datagram(
          message, [&](std::string_view datagram) { driven().on_datagram(server_, datagram, at); });
    }
    answer();
    return std::exchange(bytes_, 0);
  }
  void tick() override {
    if (driven().next_deadline() > now()) return;
    driven().tick(now());
    answer();
  }

 private:
  netkit::datagram::Driver::Handler& driven() {
    return private_ ? *private_ : static_cast<netkit::datagram::Driver::Handler&>(*this);
  }
  void on_datagram(const netkit::datagram::Path&, std::string_view datagram,
                   TimePoint at) override {
    client_.on_datagram(datagram, at);
  }
  void tick(TimePoint at) override { client_.tick(at); }
  TimePoint next_deadline() const override { return client_.next_deadline(); }
  bool drain(netkit::datagram::OutputQueue& queue, TimePoint at) override {
    if (dialect_ != Dialect::none) return client_.drain(queue, at);
    // Proves that the handshake is done, and says nothing.
    if (std::exchange(shaken_, false)) queue.add({}, "\xf5");
    return false;
  }
  void on_next_address(TimePoint at) override {
    shaken_ = true;
    ready_ = dialect_ == Dialect::none;
    if (!ready_) client_.connect(request_, at);
  }
  void on_not_secured(const netkit::datagram::Loss& loss) override {
    throw std::runtime_error(loss.why);
  }
  void on_connected(std::string_view answer) override {
    client_.expect_record(first_of(dialect_, answer));
    ready_ = true;
  }
  void on_rejected(std::uint16_t, std::string_view text) override {
    throw std::runtime_error("refused: " + std::string(text));
  }
  void on_message(std::uint64_t record, std::string_view message) override {
    if (record == 0) return;  // who comes and goes
    bytes_ += dialect_ == Dialect::push ? message.size() : text_size(message);
  }
  void on_gap(const netkit::datagram::Gap&) override { throw std::runtime_error("messages lost"); }
  void on_left(netkit::datagram::LeftReason, std::string_view) override {
    throw std::runtime_error("the server closed a subscription");
  }

  void answer() {
    while (driven().drain(queue_, now())) {
    }
    for (const auto& item : queue_.items()) sender_.add(server_, item.head, item.body);
    sender_.flush(socket_);
    sender_.drop_queued();
    queue_.clear();
  }

  Endpoint server_;
  Dialect dialect_;
  bool shaken_ = false;
  std::string request_;
  UdpSocket socket_;
  DatagramReceiver& receiver_;
  DatagramSender sender_;
  std::optional<netkit::datagram::PrivateClient> private_;
  netkit::datagram::Client client_;
  netkit::datagram::OutputQueue queue_;
  std::uint64_t bytes_ = 0;
  bool ready_ = false;
};

class NetkitWire final : public Wire {
 public:
  NetkitWire(std::uint16_t port, int pipe, const char* keys, Dialect dialect)
      : server_(netkit::IpAddress::loopback(netkit::IpAddress::Family::v4), port),
        pipe_(pipe),
        dialect_(dialect) {
    if (keys != nullptr) keys_ = netkit::PskKeys::load(keys);
  }
  std::unique_ptr<Subscriber> subscribe(std::size_t number) override {
    return std::make_unique<NativeSubscriber>(server_, number, receiver_, keys_ ? &*keys_ : nullptr,
                                              dialect_);
  }
  int publisher() override { return pipe_; }
  std::string publish(std::string_view text) override { return std::string(text) + '\n'; }

 private:
  Endpoint server_;
  int pipe_;
  Dialect dialect_;
  std::optional<netkit::PskKeys> keys_;
  DatagramReceiver receiver_{4};
};

}  // namespace

std::unique_ptr<Wire> make_netkit_wire(std::uint16_t port, int pipe, const char* keys,
                                       Dialect dialect) {
  return std::make_unique<NetkitWire>(port, pipe, keys, dialect);
}

}  // namespace fanout
