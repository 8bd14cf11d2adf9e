#include <algorithm>
#include <echo/bench_transport.hpp>
#include <string>
#include <vector>

#include <netkit/net/peer_log.hpp>
#include <netkit/net/tcp_client.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kConnecting = 64;  // at once

class TcpTransport final : public BenchTransport {
 public:
  TcpTransport(EventLoop& loop, const Log& log, const BenchOptions& options, Handler& handler)
      : loop_(loop),
        log_(log),
        options_(options),
        handler_(handler),
        buffer_(options.size, 'x'),
        peer_(options.servers.front().to_string()) {}

  void open() override {
    flows_.reserve(options_.flows);
    for (std::size_t i = 0; i < std::min(kConnecting, options_.flows); ++i) connect_next();
  }

  void send(std::size_t flow, std::uint32_t, std::size_t count) override {
    ByteStream* const stream = flows_[flow]->client.stream();
    for (std::size_t i = 0; stream != nullptr && i < count; ++i) {
      log_sent(log_, stream->peer(), buffer_);
      stream->write(buffer_);
    }
  }

  std::string peer() const override { return peer_; }

 private:
  struct Flow final : TcpClient::Handler {
    Flow(TcpTransport& transport, std::size_t flow_index)
        : owner(transport),
          index(flow_index),
          client(transport.loop_, transport.log_, transport.client_options(), *this) {}
    void on_connected(TcpClient&) override { owner.connected(); }
    void on_data(TcpClient&, std::string_view data) override { owner.deliver(*this, data); }
    void on_gave_up(TcpClient&, ExitStatus status, const std::string& error) override {
      owner.handler_.on_failed(status, error);
    }

    TcpTransport& owner;
    std::size_t index;
    std::size_t part = 0;  // bytes of a reply that is not whole yet
    TcpClient client;
  };

  TcpClient::Options client_options() const {
    TcpClient::Options options;
    options.servers = options_.servers;
    options.connect_timeout = options_.connect_timeout;
    options.reconnect.limit = Reconnect::kNever;
    return options;
  }

  void connect_next() {
    if (flows_.size() == options_.flows) return;
    flows_.push_back(std::make_unique<Flow>(*this, flows_.size()));
    flows_.back()->client.start();
  }

  void connected() {
    if (++connected_ == options_.flows) {
      handler_.on_open();
    } else {
      connect_next();
    }
  }

  void deliver(Flow& flow, std::string_view data) {
    log_received(log_, flow.client.stream()->peer(), data);
    handler_.on_batch();
    flow.part += data.size();
    for (; flow.part >= options_.size; flow.part -= options_.size) {
      handler_.on_next_reply(flow.index, options_.size);
    }
    handler_.on_batch_end(flow.index);
  }

  EventLoop& loop_;
  const Log& log_;
  const BenchOptions& options_;
  Handler& handler_;
  std::string buffer_;
  std::string peer_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::size_t connected_ = 0;
};

}  // namespace

std::unique_ptr<BenchTransport> make_tcp_transport(EventLoop& loop, const Log& log,
                                                   const BenchOptions& options,
                                                   BenchTransport::Handler& handler) {
  return std::make_unique<TcpTransport>(loop, log, options, handler);
}

}  // namespace netkit::echo
