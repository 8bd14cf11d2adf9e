#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/needs_key.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {

namespace {

ExitStatus status_of(const ByteStream& stream, int error) {
  const StreamFault fault = stream.fault();
  if (fault == StreamFault::certificate || fault == StreamFault::key) {
    return ExitStatus::permission;
  }
  return error == EPROTO ? ExitStatus::protocol : ExitStatus::unreachable;
}

}  // namespace

TcpClient::TcpClient(EventLoop& loop, const Log& log, Options options, Handler& handler)
    : loop_(loop),
      options_(std::move(options)),
      handler_(handler),
      connector_(loop),
      attempts_(loop, log, options_.reconnect, server_names(options_.servers),
                [this] { attempt(); }) {
  // Trying again does not help with an address of the wrong family.
  for (const AddressSpec& server : options_.servers) {
    if (IpAddress::parse(server.host)) resolve(server);
  }
}

TcpClient::~TcpClient() {
  if (stream_) stream_->close();
}

void TcpClient::start() {
  stopped_ = false;
  attempts_.start();
}

void TcpClient::attempt() {
  connector_.connect(address(), options_.connect_timeout,
                     [this](ConnectResult result) { on_socket(std::move(result)); });
}

void TcpClient::on_socket(ConnectResult result) {
  if (!result.socket) return fail(result.status, result.why);
  if (result.transport == Transport::tcp) apply(options_.tcp, result.socket.get());
  if (!options_.tls) {
    ByteStream::Handler& handler = *this;
    stream_ = make_stream(loop_, std::move(result), handler);
    return on_ready();
  }
  stream_ = options_.tls->make_stream(loop_, std::move(result.socket), result.peer, *this,
                                      address().host, [this](std::string_view) { on_ready(); });
  handshake_timer_ = loop_.after(options_.connect_timeout, [this] {
    stream_->abort();
    on_closed(*stream_, ETIMEDOUT,
              fmt::format("no TLS handshake within {} (--connect-timeout)",
                          format_duration(options_.connect_timeout)));
  });
}

void TcpClient::on_ready() {
  handshake_timer_.reset();
  connected_ = true;
  heard_ = false;
  ++connections_;
  if (!options_.is_confirmed) attempts_.succeeded();
  handler_.on_connected(*this);
}

void TcpClient::on_data(ByteStream& /*stream*/, std::string_view data) {
  const bool is_first = !std::exchange(heard_, true);
  if (is_first && !options_.tls && data == kNeedsKeyAlert) {
    stream_->abort();
    forget_stream();
    static_cast<void>(handler_.on_lost(*this));
    return give_up(ExitStatus::permission, fmt::format("refused: {}", kNeedsKey));
  }
  handler_.on_data(*this, data);
}

void TcpClient::on_end(ByteStream& /*stream*/) {
  handler_.on_end(*this);
}

void TcpClient::on_closed(ByteStream& stream, int error, std::string_view reason) {
  if (&stream != stream_.get()) return;  // stop() has closed it
  const ExitStatus status = status_of(stream, error);
  const std::string why = reason.empty() ? error_text(error) : std::string(reason);
  if (connected_) return drop(why, status);
  const bool is_final = stream.fault() == StreamFault::key;
  forget_stream();
  is_final ? give_up(status, why) : fail(status, why);
}

// It will be the same next time.
void TcpClient::give_up(ExitStatus status, const std::string& why) {
  if (stopped_) return;
  attempts_.stop();
  handler_.on_gave_up(*this, status, Outage::sentence(server(), why));
}

void TcpClient::on_high_water(ByteStream& /*stream*/) {
  if (connected_) handler_.on_high_water(*this);
}

void TcpClient::on_low_water(ByteStream& /*stream*/) {
  if (connected_) handler_.on_low_water(*this);
}

void TcpClient::drop(std::string_view why, ExitStatus status) {
  if (!connected_) return;
  stream_->abort();
  forget_stream();
  const std::string remark = handler_.on_lost(*this);
  fail(status, Outage::lost(remark.empty() ? why : fmt::format("{} ({})", why, remark)));
}

void TcpClient::fail(ExitStatus status, const std::string& why) {
  if (stopped_ || attempts_.failed(why)) return;
  handler_.on_gave_up(*this, status, Outage::sentence(server(), why));
}

void TcpClient::confirm() {
  if (connected_) attempts_.succeeded();
}

void TcpClient::stop() {
  stopped_ = true;
  connector_.cancel();
  attempts_.stop();
  if (!stream_) return;
  stream_->close();
  connected_ = false;
  handshake_timer_.reset();
  // It calls back once more, so it must not outlive this client.
  closing_ = std::move(stream_);
  closed_ = loop_.after(Duration::zero(), [this] { closing_.reset(); });
}

// Not from within its own callbacks.
void TcpClient::forget_stream() {
  handshake_timer_.reset();
  connected_ = false;
  loop_.destroy_later(std::move(stream_));
}

void TcpClient::Handler::on_end(TcpClient& client) {
  client.drop("closed by the peer", ExitStatus::unreachable);
}

std::string TcpClient::Handler::on_lost(TcpClient& /*client*/) {
  return {};
}

void TcpClient::Handler::on_high_water(TcpClient& /*client*/) {}

void TcpClient::Handler::on_low_water(TcpClient& /*client*/) {}

}  // namespace netkit
