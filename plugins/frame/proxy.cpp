// `frame proxy`: passes bytes on and shows the frames in them.
#include <algorithm>
#include <array>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/slot_list.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

struct ProxyOptions {
  AddressSpec listen;
  AddressSpec target;
  CodecSpec codec;
  std::uint64_t max_frame = 1U << 20U;
  TcpServer::Options server;
  Duration connect_timeout = std::chrono::seconds(10);
  std::string record;  // file; empty: none
};

class Proxy {
 public:
  // Binds its sockets; throws SystemError, Error.
  Proxy(Host& host, ProxyOptions options);
  ~Proxy();

 private:
  class Session;
  class Target;

  // What was counted of one direction.
  struct Flow {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
  };
  Flow& flow(Direction direction) { return flows_[static_cast<std::size_t>(direction)]; }
  void check_target() const;
  void fill_totals(Totals& totals) const;
  void stop();

  Host& host_;
  ProxyOptions options_;
  FramePrinter printer_;
  Recorder recorder_;
  std::uint64_t failures_ = 0;
  std::uint64_t undecoded_ = 0;
  std::array<Flow, 2> flows_{};
  SlotList<Target> leaving_;  // those whose client is gone: what they have not taken yet still goes
  TcpServer server_;
};

// The connection to the target, of a session.
class Proxy::Target final : public ByteStream::Handler {
 public:
  Target(Proxy& proxy, Session& session, ConnectResult result)
      : stream(make_tcp_stream(proxy.host_.loop(), std::move(result.socket), result.peer, *this)),
        proxy_(proxy),
        session_(&session) {}
  void leave() {
    session_ = nullptr;
    stream->close();
  }

  const std::unique_ptr<ByteStream> stream;
  std::size_t slot = 0;  // its place in the proxy's list

 private:
  void on_data(ByteStream&, std::string_view data) override;
  void on_end(ByteStream&) override;
  void on_closed(ByteStream&, int error, std::string_view reason) override;
  void on_high_water(ByteStream&) override;
  void on_low_water(ByteStream&) override;

  Proxy& proxy_;
  Session* session_;  // null: it is gone
};

// A client, which is the connection to the server, and the connection to the target, which is made
// before the client is read from.
class Proxy::Session final : public TcpServer::Connection {
 public:
  Session(Proxy& proxy, const Endpoint& peer)
      : proxy_(proxy),
        peer_(peer),
        connector_(proxy.host_.loop()),
        requests_(proxy, Direction::to_server),
        answers_(proxy, Direction::to_client),
        connection_(proxy.recorder_.next_connection()) {}

  void close_both();
  void on_answer(std::string_view data);
  void on_target_end();
  void on_target_gone(int error, std::string_view reason);

 private:
  // What one end says.
  struct Half {
    Half(Proxy& proxy, Direction which)
        : decoder(proxy.options_.codec, proxy.options_.max_frame), direction(which) {}
    FrameDecoder decoder;
    Direction direction;
    bool decoding = true;
    bool ended = false;
  };

  void on_open(std::string_view alpn) override;
  void on_received(std::string_view data) override;
  void on_half_closed() override;
  void on_gone(int error, std::string_view reason) override;
  void on_backed_up() override;
  void on_drained() override;

  void on_connected(ConnectResult result);
  void look_at(Half& half, std::string_view data);
  void decode(Half& half, std::string_view data);
  void ended(Half& half);
  void notice(const Half& half, std::string_view what);

  Proxy& proxy_;
  Endpoint peer_;
  TcpConnector connector_;
  std::unique_ptr<Target> target_;  // null: not connected yet, or over
  Half requests_;
  Half answers_;
  std::uint64_t connection_;  // its number in the recording
};

void Proxy::Target::on_data(ByteStream&, std::string_view data) {
  if (session_ != nullptr) session_->on_answer(data);
}

void Proxy::Target::on_end(ByteStream&) {
  if (session_ != nullptr) session_->on_target_end();
}

void Proxy::Target::on_closed(ByteStream&, int error, std::string_view reason) {
  if (session_ != nullptr) return session_->on_target_gone(error, reason);
  proxy_.host_.loop().destroy_later(proxy_.leaving_.take(*this));
}

void Proxy::Target::on_high_water(ByteStream&) {
  if (session_ != nullptr) session_->pause_reading();
}

void Proxy::Target::on_low_water(ByteStream&) {
  if (session_ != nullptr) session_->resume_reading();
}

void Proxy::Session::on_open(std::string_view /*alpn*/) {
  pause_reading();
  connector_.connect(proxy_.options_.target, proxy_.options_.connect_timeout,
                     [this](ConnectResult result) { on_connected(std::move(result)); });
}

void Proxy::Session::on_connected(ConnectResult result) {
  if (!result.socket) {
    ++proxy_.failures_;
    server().notice(fmt::format("{} closed: {}", peer_.to_string(), result.error));
    return abort();
  }
  apply(proxy_.server_.options().tcp, result.socket.get());
  target_ = std::make_unique<Target>(proxy_, *this, std::move(result));
  resume_reading();
}

void Proxy::Session::on_received(std::string_view data) {
  if (target_) {
    log_sent(proxy_.host_.log(), target_->stream->peer(), data);
    target_->stream->write(data);
  }
  look_at(requests_, data);
}

void Proxy::Session::on_answer(std::string_view data) {
  log_received(proxy_.host_.log(), target_->stream->peer(), data);
  if (!closing()) write(data);
  look_at(answers_, data);
}

void Proxy::Session::look_at(Half& half, std::string_view data) {
  proxy_.flow(half.direction).bytes += data.size();
  proxy_.recorder_.record(connection_, half.direction, data);
  if (half.decoding) decode(half, data);
}

void Proxy::Session::decode(Half& half, std::string_view data) {
  proxy_.printer_.tick();
  const auto show = [&](const FrameView& view) {
    ++proxy_.flow(half.direction).frames;
    proxy_.printer_.print(half.direction, view, proxy_.options_.codec, &peer_);
  };
  const FrameError error = half.decoder.feed(data, show).error;
  if (!error) return;
  half.decoding = false;
  ++proxy_.undecoded_;
  notice(half, fmt::format("{}; passed on without decoding", error.text()));
}

void Proxy::Session::notice(const Half& half, std::string_view what) {
  server().notice(fmt::format("{} {} {}", peer_.to_string(),
                              half.direction == Direction::to_server ? '>' : '<', what));
}

void Proxy::Session::ended(Half& half) {
  half.ended = true;
  if (!half.decoding || half.decoder.pending() == 0) return;
  notice(half, cut_off("ended", half.decoder.pending(), half.decoder.pending_total()));
}

void Proxy::Session::on_half_closed() {
  ended(requests_);
  if (answers_.ended) return close_both();
  if (target_) target_->stream->shutdown_write();
}

void Proxy::Session::on_target_end() {
  ended(answers_);
  if (requests_.ended) return close_both();
  if (!closing()) stream().shutdown_write();
}

void Proxy::Session::on_gone(int /*error*/, std::string_view /*reason*/) {
  connector_.cancel();
  if (target_) proxy_.leaving_.add(std::move(target_)).leave();
}

void Proxy::Session::on_target_gone(int error, std::string_view reason) {
  if (error != 0) {
    proxy_.host_.log().info(fmt::format("{} target: {}", peer_.to_string(),
                                        reason.empty() ? error_text(error) : std::string(reason)));
  }
  proxy_.host_.loop().destroy_later(std::move(target_));
  close();
}

void Proxy::Session::on_backed_up() {
  if (target_) target_->stream->pause_reading();
}

void Proxy::Session::on_drained() {
  if (target_) target_->stream->resume_reading();
}

void Proxy::Session::close_both() {
  if (target_) target_->stream->close();
  close();
}

Proxy::Proxy(Host& host, ProxyOptions options)
    : host_(host),
      options_(std::move(options)),
      printer_(host, true, FramePrinter::Mark::direction),
      recorder_(host, "frame", options_.record),
      server_(host.loop(), host.log(), options_.server,
              [this](const Endpoint& peer) { return std::make_unique<Session>(*this, peer); }) {
  server_.listen(options_.listen);
  check_target();
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  host_.ready(server_.descriptions());
}

Proxy::~Proxy() = default;

// A proxy that connects to itself would accept that connection, connect once more, and so on.
void Proxy::check_target() const {
  const auto is_port = [this](const Endpoint& local) {
    return local.port() == options_.target.port;
  };
  const std::vector<Endpoint> locals = server_.locals();
  if (std::none_of(locals.begin(), locals.end(), is_port)) return;  // the name need not be known
  LocalNetworks networks;
  for (const Endpoint& target : resolve(options_.target)) {
    const bool own = std::any_of(locals.begin(), locals.end(), [&](const Endpoint& local) {
      return target == local || (is_port(local) && local.address().is_unspecified() &&
                                 networks.is_own(target.address()));
    });
    if (own) throw UsageError(fmt::format("the proxy itself listens on {}", target.to_string()));
  }
}

void Proxy::fill_totals(Totals& totals) const {
  const Flow& out = flows_[static_cast<std::size_t>(Direction::to_server)];
  const Flow& in = flows_[static_cast<std::size_t>(Direction::to_client)];
  totals.add("clients", server_.size());
  totals.add("connections", server_.counters().accepted);
  totals.add("refused", server_.counters().refused);
  totals.add("failures", failures_);
  totals.add("frames_out", out.frames);
  totals.add("frames_in", in.frames);
  totals.add("undecoded", undecoded_);
  totals.add("bytes_out", out.bytes);
  totals.add("bytes_in", in.bytes);
}

void Proxy::stop() {
  server_.stop_accepting();
  server_.for_each<Session>([](Session& session) { session.close_both(); });
  host_.finish(ExitStatus::done);
}

ProxyOptions proxy_options(const Values& values) {
  ProxyOptions options;
  options.listen = values.address("LISTEN");
  options.target = values.address("TARGET");
  options.codec = codec_option(values);
  options.max_frame = values.size("max-frame");
  options.server.pause_backed_up = false;
  options.server.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options.connect_timeout = values.duration("connect-timeout");
  options.record = values.text("record");
  return options;
}

}  // namespace

std::unique_ptr<Command> make_proxy() {
  return std::make_unique<LoopCommand<Proxy, proxy_options>>();
}

}  // namespace netkit::frame
