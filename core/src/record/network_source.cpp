#include "record/network_source.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/held_bytes.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

constexpr std::array<std::string_view, 3> kSchemes = {"udp:", "tcp:", "unix:"};

// Read one by one, so that a pause leaves the others in the kernel.
class DatagramRecords final : public NetworkSource {
 public:
  DatagramRecords(Run& run, const AddressSpec& address, OnRecord on_record)
      : log_(run.log()), on_record_(std::move(on_record)), buffer_(kMaxDatagram, '\0') {
    ServerSocketOptions options;
    options.udp = true;
    ServerSockets sockets = open_server_sockets(address, options);
    for (const std::string& line : sockets.descriptions()) log_.notice("reading from " + line);
    for (UdpSocket& socket : sockets.udp) {
      Port& port = ports_.emplace_back();
      port.socket = std::move(socket);
      port.watch =
          run.loop().watch(port.socket.fd(), Interest::none, [this, &port](Ready) { read(port); });
    }
  }

  void pause() override {
    paused_ = true;
    for (Port& port : ports_) port.watch.set(Interest::none);
  }
  void resume() override {
    paused_ = false;
    for (Port& port : ports_) port.watch.set(Interest::read);
  }

 private:
  static constexpr std::size_t kMaxDatagram = 65'535;
  static constexpr int kReadsPerTurn = 64;
  struct Port {
    UdpSocket socket;
    Watch watch;
  };

  void read(Port& port) {
    for (int i = 0; i < kReadsPerTurn && !paused_; ++i) {
      Endpoint peer;
      const IoResult result = port.socket.receive(buffer_.data(), buffer_.size(), &peer);
      if (!result.ok()) return;
      const std::string_view text(buffer_.data(), std::min(result.count, buffer_.size()));
      log_received(log_, peer, text);
      on_record_(text);
    }
  }

  Log& log_;
  OnRecord on_record_;
  std::string buffer_;
  std::list<Port> ports_;
  bool paused_ = true;
};

class LineRecords final : public NetworkSource {
 public:
  LineRecords(Run& run, const AddressSpec& address, std::size_t max_line, OnRecord on_record)
      : loop_(run.loop()),
        max_line_(max_line),
        on_record_(std::move(on_record)),
        held_(HeldBytes::room_for(max_line)),
        server_(run.loop(), run.log(), {.max_clients = kMaxWriters, .limit_option = "--from"},
                [this](const Endpoint& peer) { return std::make_unique<Writer>(*this, peer); }) {
    server_.listen(address);
    for (const std::string& line : server_.descriptions()) {
      run.log().notice("reading from " + line);
    }
  }

  void pause() override {
    paused_ = true;
    again_.reset();
    server_.for_each<Writer>([](Writer& writer) { writer.pause_reading(); });
  }

  void resume() override {
    if (!std::exchange(paused_, false)) return;
    // Not from here: it may be called within a batch of lines.
    again_ = loop_.after(Duration::zero(), [this] { go_on(); });
  }

 private:
  static constexpr std::size_t kMaxWriters = 4096;

  // What one writer has sent, which may outlive its connection.
  struct Stream {
    Stream(std::size_t max_line, HeldBytes& all, const Endpoint& writer)
        : decoder(max_line), holding(&all, writer.address()) {}
    bool hold() { return holding.hold(decoder.pending() + rest.size()); }
    void clear() {
      decoder = LineDecoder(decoder.max_line());
      rest = {};
    }
    LineDecoder decoder;
    std::string rest;  // read, and not handed out because of a pause
    Holding holding;
    bool ended = false;
  };
  using Place = std::list<Stream>::iterator;

  class Writer final : public TcpServer::Connection {
   public:
    Writer(LineRecords& source, const Endpoint& peer)
        : source_(source),
          place_(source.streams_.emplace(source.streams_.end(), source.max_line_, source.held_,
                                         peer)) {}

   private:
    void on_open(std::string_view /*alpn*/) override {
      if (source_.paused_) pause_reading();
    }
    void on_received(std::string_view data) override {
      source_.take(*place_, data);
      if (place_->hold()) return;
      server().notice(fmt::format("{} closed: too many long lines arrive at once (--max-line)",
                                  peer().to_string()));
      place_->clear();
      abort();
    }
    void on_gone(int /*error*/, std::string_view /*reason*/) override { source_.end(place_); }

    LineRecords& source_;
    Place place_;
  };

  void take(Stream& stream, std::string_view data) {
    if (paused_ || !stream.rest.empty()) {
      stream.rest += data;
      return;
    }
    const std::size_t taken = stream.decoder.feed(data, [this](const Line& line) {
      hand_out(line);
      return !paused_;
    });
    stream.rest.assign(data.substr(taken));
  }

  void hand_out(const Line& line) {
    if (!line.too_long) return on_record_(line.text);
    server_.notice(fmt::format("a line of --from is longer than {} (--max-line): skipped",
                               format_size(max_line_)));
  }

  void end(Place place) {
    place->ended = true;
    finish(place);
  }

  // False where more is left of it.
  bool finish(Place place) {
    if (paused_ || !place->rest.empty()) return false;
    place->decoder.finish([this](const Line& line) { hand_out(line); });
    streams_.erase(place);
    return true;
  }

  void go_on() {
    for (auto next = streams_.begin(); next != streams_.end() && !paused_;) {
      const Place place = next++;
      const std::string data = std::exchange(place->rest, {});
      take(*place, data);
      static_cast<void>(place->hold());
      if (place->ended) finish(place);
    }
    if (paused_) return;
    server_.for_each<Writer>([](Writer& writer) { writer.resume_reading(); });
  }

  EventLoop& loop_;
  std::size_t max_line_;
  OnRecord on_record_;
  HeldBytes held_;
  std::list<Stream> streams_;
  Timer again_;
  bool paused_ = true;
  TcpServer server_;
};

}  // namespace

bool NetworkSource::is_one(std::string_view name) {
  return std::ranges::any_of(kSchemes,
                             [name](std::string_view scheme) { return name.starts_with(scheme); });
}

std::unique_ptr<NetworkSource> NetworkSource::open(Run& run, std::string_view name,
                                                   std::size_t max_line, OnRecord on_record) {
  const AddressSpec address = AddressSpec::parse(name, AddressRole::any_server);
  if (address.transport == Transport::udp) {
    return std::make_unique<DatagramRecords>(run, address, std::move(on_record));
  }
  return std::make_unique<LineRecords>(run, address, max_line, std::move(on_record));
}

}  // namespace netkit
