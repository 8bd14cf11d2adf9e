#include <cerrno>
#include <echo/send_client.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxDatagram = 65'507;

}  // namespace

UdpSendClient::UdpSendClient(EventLoop& loop, const AddressSpec& address,
                             SendClient::Handler& handler)
    : loop_(loop), address_(address), handler_(handler) {}

void UdpSendClient::open() {
  UdpClient::Handler& handler = *this;
  client_.emplace(loop_, address_, handler, UdpClient::Options{});
  loop_.post([this] { handler_.on_open(); });
}

bool UdpSendClient::send(const std::string& message, std::string& error) {
  if (message.size() > kMaxDatagram) {
    error = fmt::format("a message of {} bytes does not fit into a datagram (at most {})",
                        message.size(), kMaxDatagram);
    return false;
  }
  message_ = message;
  matcher_.on_sent(message_);
  // A full buffer or a lost datagram is the same to who waits for the answer.
  if (client_->send_now(message_) != EMSGSIZE) return true;
  error = fmt::format("a message of {} bytes is too long for the way to {} (MTU {})",
                      message.size(), peer().to_string(), client_->path_mtu());
  return false;
}

void UdpSendClient::on_next_address(int /*error*/) {
  if (matcher_.waiting()) client_->send_now(message_);
}

void UdpSendClient::on_refused(int error) {
  if (!matcher_.waiting()) return;
  loop_.post([this, sentence = fmt::format("{}: {}", peer().to_string(), error_text(error))] {
    handler_.on_failed(ExitStatus::unreachable, sentence);
  });
}

void UdpSendClient::on_datagram(std::string_view datagram) {
  if (matcher_.on_reply(datagram) == ReplyMatcher::Match::current) {
    handler_.on_reply(datagram);
  } else {
    handler_.on_late(datagram);
  }
}

TcpSendClient::TcpSendClient(EventLoop& loop, const AddressSpec& address, Duration connect_timeout,
                             SendClient::Handler& handler)
    : loop_(loop),
      address_(address),
      connect_timeout_(connect_timeout),
      handler_(handler),
      connector_(loop) {}

void TcpSendClient::open() {
  connector_.connect(address_, connect_timeout_,
                     [this](ConnectResult result) { on_connected(std::move(result)); });
}

void TcpSendClient::on_connected(ConnectResult result) {
  if (!result.error.empty()) {
    handler_.on_failed(result.status, result.error);
    return;
  }
  peer_ = result.peer;
  apply(TcpOptions{}, result.socket.get());
  stream_ = make_tcp_stream(loop_, std::move(result.socket), result.peer, *this);
  handler_.on_open();
}

bool TcpSendClient::send(const std::string& message, std::string&) {
  reply_.clear();
  if (message.empty()) {  // and so is its echo
    loop_.post([this] { handler_.on_reply({}); });
    return true;
  }
  counter_.on_sent(message.size());
  stream_->write(message);
  return true;
}

void TcpSendClient::give_up() {
  counter_.on_overdue();
  reply_.clear();
}

void TcpSendClient::on_data(ByteStream&, std::string_view data) {
  reply_ += counter_.take(data);
  if (!reply_.empty() && !counter_.waiting()) {
    const std::string reply = std::exchange(reply_, {});
    handler_.on_reply(reply);
  }
}

void TcpSendClient::on_end(ByteStream& stream) {
  on_closed(stream, 0, {});
}

void TcpSendClient::on_closed(ByteStream&, int error, std::string_view) {
  stream_->pause_reading();
  handler_.on_failed(
      ExitStatus::unreachable,
      peer_.to_string() + ": " + (error == 0 ? "closed by the peer" : error_text(error)));
}

}  // namespace netkit::echo
