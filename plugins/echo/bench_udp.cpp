#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <echo/bench_transport.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kBatch = 64;
constexpr int kBatchesPerTurn = 8;

// A datagram: its number (4 bytes), its flow (4 bytes), network byte order, then filling.
class UdpTransport final : public BenchTransport {
 public:
  UdpTransport(EventLoop& loop, const Log& log, const BenchOptions& options, Handler& handler)
      : loop_(loop),
        log_(log),
        options_(options),
        handler_(handler),
        receiver_(kBatch),
        sender_({.coalesce = options.coalesce}),
        buffer_(kBatch * options.size, 'x') {}

  void open() override {
    addresses_.emplace(resolve(options_.servers), options_.servers.front().sources);
    open_flows(addresses_->connect(socket_options()));
  }

  // Everything sent is forgotten; on_open() tells when it begins again.
  bool use_next() override {
    if (reopening_) return true;
    next_ = addresses_->connect_next(socket_options());
    if (!next_) return false;
    reopening_ = true;
    loop_.defer([this] {  // not from within a flow's callback
      flows_.clear();
      reopening_ = false;
      open_flows(*std::exchange(next_, std::nullopt));
    });
    return true;
  }

  void send(std::size_t flow, std::uint32_t first, std::size_t count) override {
    for (std::size_t done = 0; done < count;) {
      const std::size_t together = std::min(kBatch, count - done);
      for (std::size_t i = 0; i < together; ++i) {
        char* const datagram = &buffer_[i * options_.size];
        stamp(datagram, first + static_cast<std::uint32_t>(done + i), flow);
        log_sent(log_, peer_, {datagram, options_.size});
        sender_.add(peer_, {datagram, options_.size});
      }
      done += together;
      // Datagrams that the socket does not accept now are lost, as they would be further on.
      if (sender_.flush(flows_[flow].socket) > 0) sender_.drop_queued();
    }
  }

  std::string peer() const override { return peer_.to_string(); }

 private:
  struct Flow {
    UdpSocket socket;
    Watch watch;
  };

  static UdpOptions socket_options() {
    UdpOptions options;
    options.gro = true;
    return options;
  }

  void open_flows(UdpSocket first) {
    peer_ = addresses_->current();
    log_.info("sending to " + peer_.to_string());
    flows_.resize(options_.flows);
    flows_.front().socket = std::move(first);
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      Flow& flow = flows_[i];
      if (!flow.socket) flow.socket = addresses_->connect_to_current(socket_options());
      flow.watch = loop_.watch(flow.socket.fd(), Interest::read, [this, i](Ready) { read(i); });
    }
    loop_.post([this] { handler_.on_open(); });
  }

  static void stamp(char* datagram, std::uint32_t number, std::size_t flow) {
    const std::uint32_t words[] = {htonl(number), htonl(static_cast<std::uint32_t>(flow))};
    std::memcpy(datagram, words, sizeof words);
  }

  void read(std::size_t index) {
    handler_.on_batch();
    for (int i = 0; i < kBatchesPerTurn; ++i) {
      const DatagramReceiver::Result result = receiver_.receive(flows_[index].socket);
      for (const ReceivedMessage& message : result.messages) {
        for_each_datagram(message, [&](std::string_view datagram) { deliver(index, datagram); });
      }
      if (result.messages.empty() && result.error != EAGAIN) {
        handler_.on_refused(index, result.error);
      }
      if (result.messages.size() < kBatch) break;
    }
    handler_.on_batch_end(index);
  }

  void deliver(std::size_t index, std::string_view datagram) {
    log_received(log_, peer_, datagram);
    std::uint32_t words[2];
    if (datagram.size() < sizeof words) return;  // not ours
    std::memcpy(words, datagram.data(), sizeof words);
    if (ntohl(words[1]) != index) return;
    handler_.on_reply(index, ntohl(words[0]), datagram.size());
  }

  EventLoop& loop_;
  const Log& log_;
  const BenchOptions& options_;
  Handler& handler_;
  std::optional<ServerAddresses> addresses_;
  std::optional<UdpSocket> next_;
  bool reopening_ = false;
  Endpoint peer_;  // the address in use
  DatagramReceiver receiver_;
  DatagramSender sender_;
  std::string buffer_;
  std::vector<Flow> flows_;
};

}  // namespace

std::unique_ptr<BenchTransport> make_udp_transport(EventLoop& loop, const Log& log,
                                                   const BenchOptions& options,
                                                   BenchTransport::Handler& handler) {
  return std::make_unique<UdpTransport>(loop, log, options, handler);
}

}  // namespace netkit::echo
