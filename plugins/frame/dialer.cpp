#include <algorithm>
#include <array>
#include <cerrno>
#include <frame/dialer.hpp>

#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

ExitStatus status_of_end(int error, std::string_view reason) {
  if (error != EPROTO) return ExitStatus::unreachable;
  // Those that the peer may say of this client's, and the word that is in all of the others.
  constexpr std::array<std::string_view, 4> kCertificate{"certificate", "mismatch", "unknown ca",
                                                         "access denied"};
  const bool permission = std::ranges::any_of(kCertificate, [reason](std::string_view word) {
    return reason.find(word) != std::string_view::npos;
  });
  return permission ? ExitStatus::permission : ExitStatus::protocol;
}

Dialer::Dialer(Host& host, DialerOptions options, ByteStream::Handler& handler, Owner& owner)
    : host_(host),
      options_(std::move(options)),
      handler_(handler),
      owner_(owner),
      failover_(options_.addresses.size()),
      reconnect_(options_.reconnect, options_.backoff),
      connector_(host.loop()) {
  if (options_.tls) tls_ = TlsContext::client(*options_.tls);
}

void Dialer::start() {
  failover_.next();
  connect();
}

void Dialer::on_data(ByteStream& stream, std::string_view data) {
  handler_.on_data(stream, data);
}

void Dialer::on_end(ByteStream& stream) {
  if (given_) return handler_.on_end(stream);
  on_closed(stream, ECONNRESET, "closed during the TLS handshake");
}

void Dialer::on_closed(ByteStream& stream, int error, std::string_view reason) {
  if (given_) return handler_.on_closed(stream, error, reason);
  timer_.reset();
  if (stream_) host_.loop().destroy_later(std::move(stream_));
  const std::string why = reason.empty() ? error_text(error) : std::string(reason);
  failed(status_of_end(error, why), "TLS with " + address() + ": " + why);
}

void Dialer::connect() {
  connector_.connect(options_.addresses[failover_.current()], options_.connect_timeout,
                     [this](ConnectResult result) { on_connected(std::move(result)); });
}

void Dialer::on_connected(ConnectResult result) {
  if (!result.socket) return failed(result.status, result.error);
  apply(options_.tcp, result.socket.get());
  if (!tls_) {
    stream_ = make_tcp_stream(host_.loop(), std::move(result.socket), result.peer, *this);
    return on_ready();
  }
  stream_ = tls_->make_stream(host_.loop(), std::move(result.socket), result.peer, *this,
                              options_.addresses[failover_.current()].host,
                              [this](std::string_view) { on_ready(); });
  timer_ = host_.loop().after(options_.connect_timeout, [this] {
    stream_->abort();
    on_closed(*stream_, ETIMEDOUT,
              "no handshake within " + format_duration(options_.connect_timeout));
  });
}

void Dialer::on_ready() {
  timer_.reset();
  failover_.on_connected();
  reconnect_.connected(host_.loop().now());
  const bool again = connections_ > 0 || reported_;
  ++connections_;
  given_ = true;
  reported_ = false;
  const std::string line = "connected to " + address();
  again ? host_.log().notice(line) : host_.log().info(line);
  owner_.on_dialed(std::move(stream_));
}

void Dialer::failed(ExitStatus status, const std::string& error) {
  ++failures_;
  reported_ = try_next(status, error) || reported_;
}

void Dialer::lost(const std::string& reason, ExitStatus status) {
  given_ = false;
  try_next(status, "connection to " + address() + " lost: " + reason);
}

// Says what happened and goes on with the next address, after a delay if it begins a round; returns
// whether it does.
bool Dialer::try_next(ExitStatus status, const std::string& what) {
  const Failover::Attempt next = failover_.next();
  std::optional<Duration> wait = Duration::zero();
  if (next.delay_first) wait = reconnect_.next(host_.loop().now(), random_.unit());
  if (!wait) {
    owner_.on_gave_up(status, what);
    return false;
  }
  std::string line = what + "; trying " + address();
  if (next.delay_first)
    line += " in " + format_duration(std::chrono::round<std::chrono::milliseconds>(*wait));
  host_.log().write(reported_ ? LogLevel::info : LogLevel::notice, line);
  timer_ = host_.loop().after(*wait, [this] { connect(); });
  return next.delay_first;
}

void Dialer::stop() {
  connector_.cancel();
  timer_.reset();
  if (stream_) stream_->abort();
}

}  // namespace netkit::frame
