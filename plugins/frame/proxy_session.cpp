#include <frame/options.hpp>
#include <frame/proxy_session.hpp>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

ProxySession::Side::Side(ProxySession& session, Direction direction)
    : session_(session),
      decoder_(session.proxy_.options_.codec, session.proxy_.options_.max_frame),
      direction_(direction) {}

void ProxySession::Side::on_data(ByteStream&, std::string_view data) {
  log_received(session_.proxy_.host_.log(), stream->peer(), data);
  Proxy& proxy = session_.proxy_;
  proxy.bytes_[static_cast<std::size_t>(direction_)] += data.size();
  if (!other->closed) other->stream->write(data);
  if (proxy.recorder_.active()) proxy.recorder_.record(session_.connection_, direction_, data);
  if (decoding_) decode(data);
}

void ProxySession::Side::decode(std::string_view data) {
  Proxy& proxy = session_.proxy_;
  const CodecSpec& codec = proxy.options_.codec;
  const bool request = direction_ == Direction::to_server;
  proxy.printer_.tick();
  const auto show = [&](const FrameView& view) {
    ++proxy.frames_[static_cast<std::size_t>(direction_)];
    if (!proxy.printer_.wanted()) return;
    ShownFrame frame =
        request ? shown_request(view.content, codec) : shown_answer(view.content, codec);
    frame.dir = request ? "out" : "in";
    frame.peer = &session_.peer_;
    frame.length = view.length;
    proxy.printer_.print(frame);
  };
  const FrameError error = decoder_.feed(data, show).error;
  if (!error) return;
  decoding_ = false;
  ++proxy.undecoded_;
  proxy.peers_log_.notice(session_.peer_.to_string() + (request ? " > " : " < ") + error.text() +
                          "; passed on without decoding");
}

void ProxySession::Side::on_end(ByteStream&) {
  ended_ = true;
  if (decoding_ && decoder_.pending() > 0) {
    session_.proxy_.peers_log_.notice(
        session_.peer_.to_string() + (direction_ == Direction::to_server ? " > " : " < ") +
        "ended in the middle of a frame: " + counted(decoder_.pending(), "byte") + " came");
  }
  if (!other->ended_) {
    if (!other->closed) other->stream->shutdown_write();
    return;
  }
  session_.close();
}

void ProxySession::Side::on_closed(ByteStream&, int error, std::string_view reason) {
  closed = true;
  if (error != 0) {
    const std::string why = reason.empty() ? error_text(error) : std::string(reason);
    session_.proxy_.host_.log().info(
        session_.peer_.to_string() +
        (direction_ == Direction::to_server ? " client: " : " target: ") + why);
  }
  session_.side_closed();
}

void ProxySession::Side::on_high_water(ByteStream&) {
  if (!other->closed) other->stream->pause_reading();
}

void ProxySession::Side::on_low_water(ByteStream&) {
  if (!other->closed) other->stream->resume_reading();
}

ProxySession::ProxySession(Proxy& proxy, FileDescriptor socket, const Endpoint& peer)
    : proxy_(proxy),
      peer_(peer),
      socket_(std::move(socket)),
      connector_(proxy.host_.loop()),
      client_(*this, Direction::to_server),
      server_(*this, Direction::to_client) {
  client_.other = &server_;
  server_.other = &client_;
  if (proxy_.recorder_.active()) connection_ = proxy_.recorder_.next_connection();
}

void ProxySession::start() {
  connector_.connect(proxy_.options_.target, proxy_.options_.connect_timeout,
                     [this](ConnectResult result) { on_connected(std::move(result)); });
}

void ProxySession::on_connected(ConnectResult result) {
  if (!result.socket) {
    ++proxy_.failures_;
    proxy_.peers_log_.notice(peer_.to_string() + " closed: " + result.error);
    return proxy_.remove(*this);
  }
  const TcpOptions options{.keepalive = true};
  apply(options, result.socket.get());
  apply(options, socket_.get());
  EventLoop& loop = proxy_.host_.loop();
  server_.stream = make_tcp_stream(loop, std::move(result.socket), result.peer, server_);
  client_.stream = make_tcp_stream(loop, std::move(socket_), peer_, client_);
}

void ProxySession::close() {
  connector_.cancel();
  for (Side* side : {&client_, &server_}) {
    if (side->stream && !side->closed) side->stream->close();
  }
}

void ProxySession::side_closed() {
  if (client_.closed && server_.closed) return proxy_.remove(*this);
  close();
}

}  // namespace netkit::frame
