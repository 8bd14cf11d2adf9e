#include <algorithm>
#include <echo/bench_transport.hpp>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <netkit/net/peer_log.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kConnecting = 64;  // at once

class TcpTransport final : public BenchTransport {
 public:
  TcpTransport(EventLoop& loop, const Log& log, const BenchOptions& options, Handler& handler)
      : loop_(loop), log_(log), options_(options), handler_(handler), buffer_(options.size, 'x') {}

  void open() override {
    flows_.reserve(options_.flows);
    for (std::size_t i = 0; i < std::min(kConnecting, options_.flows); ++i) {
      connectors_.push_back(std::make_unique<TcpConnector>(loop_));
      connect_next(*connectors_.back());
    }
  }

  void send(std::size_t flow, std::uint32_t, std::size_t count) override {
    Flow& target = *flows_[flow];
    if (!target.stream) return;
    for (std::size_t i = 0; i < count; ++i) {
      log_sent(log_, target.stream->peer(), buffer_);
      target.stream->write(buffer_);
    }
  }

  std::string peer() const override { return peer_; }

 private:
  struct Flow final : ByteStream::Handler {
    Flow(TcpTransport& transport, std::size_t flow_index) : owner(transport), index(flow_index) {}
    void on_data(ByteStream&, std::string_view data) override { owner.deliver(*this, data); }
    void on_end(ByteStream& ended) override { on_closed(ended, 0, {}); }
    void on_closed(ByteStream&, int error, std::string_view) override { owner.lose(*this, error); }

    TcpTransport& owner;
    std::size_t index;
    std::unique_ptr<ByteStream> stream;
    std::size_t part = 0;  // bytes of a reply that is not whole yet
  };

  void connect_next(TcpConnector& connector) {
    if (started_ == options_.flows) return;
    ++started_;
    connector.connect(
        options_.address, options_.connect_timeout,
        [this, &connector](ConnectResult result) { on_connected(connector, std::move(result)); });
  }

  void on_connected(TcpConnector& connector, ConnectResult result) {
    if (!result.error.empty()) {
      handler_.on_failed(result.status, result.error);
      return;
    }
    peer_ = result.peer.to_string();
    if (log_.enabled(LogLevel::info)) log_.info("connected to " + peer_);
    apply(TcpOptions{}, result.socket.get());
    flows_.push_back(std::make_unique<Flow>(*this, flows_.size()));
    flows_.back()->stream =
        make_tcp_stream(loop_, std::move(result.socket), result.peer, *flows_.back());
    if (flows_.size() == options_.flows) {
      handler_.on_open();
    } else {
      // Not from within its own callback.
      loop_.defer([this, &connector] { connect_next(connector); });
    }
  }

  void deliver(Flow& flow, std::string_view data) {
    log_received(log_, flow.stream->peer(), data);
    handler_.on_batch();
    flow.part += data.size();
    while (flow.part >= options_.size) {
      flow.part -= options_.size;
      handler_.on_next_reply(flow.index, options_.size);
    }
    handler_.on_batch_end(flow.index);
  }

  void lose(Flow& flow, int error) {
    flow.stream.reset();
    handler_.on_failed(ExitStatus::unreachable,
                       peer_ + ": " + (error == 0 ? "closed by the peer" : error_text(error)));
  }

  EventLoop& loop_;
  const Log& log_;
  const BenchOptions& options_;
  Handler& handler_;
  std::string buffer_;
  std::string peer_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<std::unique_ptr<TcpConnector>> connectors_;
  std::size_t started_ = 0;
};

}  // namespace

std::unique_ptr<BenchTransport> make_tcp_transport(EventLoop& loop, const Log& log,
                                                   const BenchOptions& options,
                                                   BenchTransport::Handler& handler) {
  return std::make_unique<TcpTransport>(loop, log, options, handler);
}

}  // namespace netkit::echo
