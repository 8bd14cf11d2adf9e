// `frame proxy`: passes bytes on and prints the frames in them. If only one side uses datagrams, or
// faults are injected, it passes on frames instead of bytes.
#include <algorithm>
#include <array>
#include <cerrno>
#include <frame/commands.hpp>
#include <frame/faults.hpp>
#include <frame/frame_printer.hpp>
#include <frame/proxy_options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/await_rest.hpp>
#include <netkit/net/held_bytes.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/slot_list.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

// How long an answer may take after one side has finished, if the other cannot be told so.
constexpr Duration kLinger = std::chrono::seconds(1);
constexpr std::size_t kMostHeld = std::size_t{16} << 20U;  // bytes that --fault holds back

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
  const Cutting& cutting(Direction direction) const {
    return options_.cuttings[static_cast<std::size_t>(direction)];
  }
  // Whether the two sides delimit frames differently.
  bool translates() const {
    return cutting(Direction::to_server).datagrams != cutting(Direction::to_client).datagrams;
  }
  TcpServer::Options server_options() const;
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
  CutTotals cut_;
  HeldBytes held_;
  std::shared_ptr<TlsContext> target_tls_;
  SlotList<Target> leaving_;  // those whose client is gone: what they have not taken yet still goes
  TcpServer server_;
  TlsKeys keys_{server_};
};

// The connection to the target, of a session.
class Proxy::Target final : public ByteStream::Handler {
 public:
  Target(Proxy& proxy, Session& session, ConnectResult result) : proxy_(proxy), session_(&session) {
    EventLoop& loop = proxy.host_.loop();
    ByteStream::Handler& handler = *this;
    if (!proxy.target_tls_) {
      stream = make_stream(loop, std::move(result), handler);
      return;
    }
    stream = proxy.target_tls_->make_stream(loop, std::move(result.socket), result.peer, handler,
                                            proxy.options_.target.host,
                                            [this](std::string_view) { handshake_.reset(); });
    handshake_ = loop.after(proxy.options_.connect_timeout, [this] {
      ++proxy_.failures_;
      stream->abort();
      on_closed(*stream, ETIMEDOUT, "no TLS handshake within --connect-timeout");
    });
  }
  void leave() {
    session_ = nullptr;
    stream->close();
    await_rest(proxy_.host_.loop(), rest_, *stream, [this] { give_up(); });
  }

  std::unique_ptr<ByteStream> stream;
  std::size_t slot = 0;  // its place in the proxy's list

 private:
  void on_data(ByteStream&, std::string_view data) override;
  void on_end(ByteStream&) override;
  void on_closed(ByteStream&, int error, std::string_view reason) override;
  void on_high_water(ByteStream&) override;
  void on_low_water(ByteStream&) override;
  void give_up();

  Proxy& proxy_;
  Session* session_;  // null: it is gone
  Timer handshake_;
  Timer rest_;  // until when what the client has left is to be taken
};

// A client, which is the connection to the server, and the connection to the target, which is made
// before the client is read from.
class Proxy::Session final : public TcpServer::Connection {
 public:
  Session(Proxy& proxy, const Endpoint& peer)
      : proxy_(proxy),
        peer_(peer),
        holding_(&proxy.held_, peer.address()),
        connector_(proxy.host_.loop()),
        requests_(proxy, Direction::to_server, [this](std::string_view data) { to_target(data); }),
        answers_(proxy, Direction::to_client, [this](std::string_view data) { to_client(data); }),
        connection_(proxy.recorder_.next_connection()) {}

  void close_both();
  void on_answer(std::string_view data);
  void on_target_end() { ended(answers_); }
  void on_target_gone(int error, std::string_view reason);

 private:
  // Data of one end on its way to the other.
  struct Half {
    Half(Proxy& proxy, Direction which, std::function<void(std::string_view)> pass_on)
        : decoder(proxy.cutting(which).decoder()), direction(which), pass(std::move(pass_on)) {
      const bool to_server = which == Direction::to_server;
      const Direction other = to_server ? Direction::to_client : Direction::to_server;
      if (proxy.translates()) encoder.emplace(proxy.cutting(other).codec);
      if (proxy.options_.faults.any()) {
        way = std::make_unique<FaultyWay>(proxy.host_.loop(), proxy.options_.faults, pass);
      }
    }
    bool by_frames() const { return decoding && (encoder || way); }

    FrameDecoder decoder;
    FirstBytes first;
    FrameCounters seen;
    Direction direction;
    std::function<void(std::string_view)> pass;
    std::optional<FrameEncoder> encoder;  // of the other side, where it is another
    std::unique_ptr<FaultyWay> way;       // none: without faults
    Timer silence;
    std::string unframed;  // with faults: what has come and is in no frame yet
    bool decoding = true;
    bool passed = false;  // to its end
  };

  void on_open(std::string_view alpn) override;
  void on_received(std::string_view data) override { look_at(requests_, data); }
  void on_half_closed() override { ended(requests_); }
  void on_gone(int error, std::string_view reason) override;
  void on_backed_up() override {
    if (target_) target_->stream->pause_reading();
  }
  void on_drained() override {
    if (target_) target_->stream->resume_reading();
  }

  void on_connected(ConnectResult result);
  void to_target(std::string_view data);
  void to_client(std::string_view data) {
    if (!closing()) write(data);
  }
  void look_at(Half& half, std::string_view data);
  void decode(Half& half, std::string_view data);
  void on_silence(Half& half);
  void on_frame(Half& half, const FrameView& view);
  void judge(Half& half, const FrameError& error);
  bool hold() { return holding_.hold(requests_.decoder.pending() + answers_.decoder.pending()); }
  void reset_both();
  void ended(Half& half);
  void on_passed(Half& half);
  void pass_end(ByteStream& to);
  void notice(const Half& half, std::string_view what);

  Proxy& proxy_;
  Endpoint peer_;
  Holding holding_;  // what is pending of both ways
  TcpConnector connector_;
  std::unique_ptr<Target> target_;  // null: not connected yet, or over
  Half requests_;
  Half answers_;
  std::uint64_t connection_;  // its number in the recording
  std::uint64_t frames_ = 0;  // of both ways
  Timer linger_;
};

void Proxy::Target::on_data(ByteStream&, std::string_view data) {
  if (session_ != nullptr) session_->on_answer(data);
}

void Proxy::Target::on_end(ByteStream&) {
  if (session_ != nullptr) session_->on_target_end();
}

void Proxy::Target::on_closed(ByteStream&, int error, std::string_view reason) {
  if (handshake_.pending()) ++proxy_.failures_;
  if (session_ != nullptr) return session_->on_target_gone(error, reason);
  proxy_.host_.loop().destroy_later(proxy_.leaving_.take(*this));
}

// What the client has left is not taken.
void Proxy::Target::give_up() {
  ++proxy_.failures_;
  proxy_.server_.notice(fmt::format("target {} closed: it does not take the last {}",
                                    stream->peer().to_string(), counted(stream->queued(), "byte")));
  stream->abort();
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
  if (result.transport == Transport::tcp) {
    apply(proxy_.server_.options().tcp, result.socket.get());
  }
  target_ = std::make_unique<Target>(proxy_, *this, std::move(result));
  resume_reading();
}

void Proxy::Session::on_answer(std::string_view data) {
  log_received(proxy_.host_.log(), target_->stream->peer(), data);
  look_at(answers_, data);
}

void Proxy::Session::to_target(std::string_view data) {
  if (!target_) return;
  log_sent(proxy_.host_.log(), target_->stream->peer(), data);
  target_->stream->write(data);
}

void Proxy::Session::look_at(Half& half, std::string_view data) {
  proxy_.flow(half.direction).bytes += data.size();
  proxy_.recorder_.record(connection_, half.direction, data);
  if (!half.by_frames()) half.way ? half.way->add(data) : half.pass(data);
  if (half.decoding) decode(half, data);
  if (!closing() && half.way && half.way->waiting() > kMostHeld) {
    notice(half, "closed: more than 16M are queued (--fault)");
    reset_both();
  }
}

void Proxy::Session::decode(Half& half, std::string_view data) {
  proxy_.printer_.tick();
  half.first.add(data);
  const TimePoint now = proxy_.host_.loop().now();
  std::size_t framed = 0;
  const auto take = [&](const FrameView& view) {
    framed += view.wire.size();
    on_frame(half, view);
  };
  std::string& unframed = half.unframed;
  if (half.way) unframed += data;
  const FrameError error = proxy_.cutting(half.direction).cut(half.decoder, now, data, take);
  // There is nothing between frames delimited by lengths, and only these can fail.
  if (!error) framed = unframed.size() - std::min(unframed.size(), half.decoder.pending());
  unframed.erase(0, std::min(framed, unframed.size()));
  judge(half, error);
}

void Proxy::Session::on_silence(Half& half) {
  proxy_.printer_.tick();
  half.decoder.expire(proxy_.host_.loop().now(),
                      [&](const FrameView& view) { on_frame(half, view); });
  judge(half, half.decoder.error());
}

void Proxy::Session::on_frame(Half& half, const FrameView& view) {
  ++proxy_.flow(half.direction).frames;
  proxy_.printer_.print(half.direction, view, proxy_.cutting(half.direction).codec, &peer_);
  ++frames_;
  if (!half.by_frames() || closing()) return;
  ByteBuffer wire;
  if (!half.encoder) {
    wire.append(view.wire);
  } else if (const FrameError error = half.encoder->append(wire, view.content, {})) {
    return notice(half, fmt::format("{}: the frame is not forwarded", error.text()));
  }
  half.way ? half.way->add(wire.view()) : half.pass(wire.view());
  if (const std::uint64_t most = proxy_.options_.faults.reset; most > 0 && frames_ >= most) {
    notice(half, fmt::format("reset after {} (--fault)", counted(frames_, "frame")));
    reset_both();
  }
}

void Proxy::Session::judge(Half& half, const FrameError& error) {
  proxy_.cut_.add_news(half.decoder.counters(), half.seen);
  const bool fits = hold();
  if (!error && fits) {
    const TimePoint due = half.decoder.deadline();
    if (due == TimePoint::max()) return half.silence.reset();
    half.silence = proxy_.host_.loop().at(due, [this, &half] { on_silence(half); });
    return;
  }
  half.decoding = false;
  ++proxy_.undecoded_;
  const Cutting& cutting = proxy_.cutting(half.direction);
  const std::string why = fits ? half.first.explain(cutting.codec, error.text())
                               : "too many unfinished frames at once (--max-frame)";
  half.decoder = cutting.decoder();
  hold();
  const bool ends = error.fault == FrameFault::check || half.encoder;
  notice(half, ends ? "closed: " + why : why + "; forwarded without decoding");
  if (ends) return close_both();
  if (half.way) half.way->add(std::exchange(half.unframed, {}));
}

void Proxy::Session::notice(const Half& half, std::string_view what) {
  server().notice(fmt::format("{} {} {}", peer_.to_string(),
                              half.direction == Direction::to_server ? '>' : '<', what));
}

void Proxy::Session::ended(Half& half) {
  half.silence.reset();
  if (half.decoding) {
    const std::uint64_t total = half.decoder.pending_total();
    const std::size_t rest =
        half.decoder.finish([&](const FrameView& view) { on_frame(half, view); });
    proxy_.cut_.add_news(half.decoder.counters(), half.seen);
    if (rest > 0) notice(half, cut_off("ended", rest, total));
    if (rest > 0 && half.way && !half.encoder) half.way->add(half.unframed);
  }
  half.way ? half.way->end([this, &half] { on_passed(half); }) : on_passed(half);
}

void Proxy::Session::on_passed(Half& half) {
  half.passed = true;
  if (requests_.passed && answers_.passed) return close_both();
  const bool to_client = half.direction == Direction::to_client;
  if (to_client && !closing()) pass_end(stream());
  if (!to_client && target_) pass_end(*target_->stream);
}

// A peer that cannot be told of the end may still send something.
void Proxy::Session::pass_end(ByteStream& to) {
  if (to.half_closes()) return to.shutdown_write();
  linger_ = proxy_.host_.loop().after(kLinger, [this] { close_both(); });
}

void Proxy::Session::on_gone(int /*error*/, std::string_view /*reason*/) {
  connector_.cancel();
  if (target_) proxy_.leaving_.add(std::move(target_)).leave();
}

void Proxy::Session::on_target_gone(int error, std::string_view reason) {
  if (error != 0) {
    const std::string why = reason.empty() ? error_text(error) : std::string(reason);
    const std::string line = fmt::format("{} target: {}", peer_.to_string(), why);
    // Errors of TLS and lost lines are always reported.
    const bool usual = proxy_.options_.target.transport == Transport::tcp && reason.empty();
    usual ? proxy_.host_.log().info(line) : server().notice(line);
  }
  proxy_.host_.loop().destroy_later(std::move(target_));
  answers_.way ? answers_.way->end([this] { close(); }) : close();
}

void Proxy::Session::reset_both() {
  if (target_) {
    target_->stream->reset();
    proxy_.host_.loop().destroy_later(std::move(target_));
  }
  reset();
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
      held_(HeldBytes::room_for(options_.cuttings[0].max_frame)),
      target_tls_(options_.target_tls ? TlsContext::client(*options_.target_tls) : nullptr),
      server_(host.loop(), host.log(), server_options(),
              [this](const Endpoint& peer) { return std::make_unique<Session>(*this, peer); }) {
  if (options_.target_tls && options_.target_tls->insecure) {
    host_.log().notice("--insecure: the server's certificate is not verified");
  }
  server_.listen(options_.listen);
  check_target();
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  host_.ready(server_.descriptions());
}

Proxy::~Proxy() = default;

TcpServer::Options Proxy::server_options() const {
  TcpServer::Options options = options_.server;
  options.handshake_timeout = options_.connect_timeout;
  options.handshake_option = "--connect-timeout";
  if (options_.tls) options.tls = TlsContext::server(*options_.tls);
  return options;
}

// A proxy that connects to itself would accept that connection, connect once more, and so on.
void Proxy::check_target() const {
  const AddressSpec& to = options_.target;
  if (to.transport != options_.listen.transport || !to.path.empty()) return;
  const bool udp = to.transport == Transport::udp;
  const std::vector<Endpoint> locals = udp ? resolve(options_.listen) : server_.locals();
  const bool may_be = std::ranges::any_of(locals, [this](const Endpoint& local) {
    return local.port() == options_.target.port;  // else the name need not be known
  });
  if (!may_be) return;
  LocalNetworks networks;
  for (const Endpoint& target : resolve(options_.target)) {
    const bool own = std::ranges::any_of(
        locals, [&](const Endpoint& local) { return networks.reaches(target, local); });
    if (own) throw UsageError(fmt::format("the proxy itself listens on {}", target.to_string()));
  }
}

void Proxy::fill_totals(Totals& totals) const {
  const auto& [out, in] = flows_;
  totals.add("clients", server_.size());
  add_tcp_clients(totals, server_.counters());
  totals.add("failures", failures_);
  totals.add("frames_out", out.frames);
  totals.add("frames_in", in.frames);
  totals.add("undecoded", undecoded_);
  cut_.add_to(totals);
  totals.add("bytes_out", out.bytes);
  totals.add("bytes_in", in.bytes);
}

void Proxy::stop() {
  server_.stop_accepting();
  server_.for_each<Session>([](Session& session) { session.close_both(); });
  host_.finish(ExitStatus::done);
}

}  // namespace

std::unique_ptr<Command> make_proxy() {
  return std::make_unique<LoopCommand<Proxy, proxy_options>>();
}

}  // namespace netkit::frame
