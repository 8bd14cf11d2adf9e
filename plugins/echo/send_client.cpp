#include <cerrno>
#include <echo/send_client.hpp>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxDatagram = 65'507;
constexpr int kReadsPerTurn = 64;

}  // namespace

UdpSendClient::UdpSendClient(EventLoop& loop, const AddressSpec& address, Handler& handler)
    : loop_(loop), address_(address), handler_(handler), buffer_(kMaxDatagram, '\0') {}

void UdpSendClient::open() {
  target_.emplace(loop_, address_, [this] { read(); });
  loop_.post([this] { handler_.on_open(); });
}

int UdpSendClient::transmit() {
  return target_->socket().send(message_).error;
}

bool UdpSendClient::send(const std::string& message, std::string& error) {
  if (message.size() > kMaxDatagram) {
    error = "a message of " + std::to_string(message.size()) +
            " bytes does not fit into a datagram (at most 65507)";
    return false;
  }
  message_ = message;
  matcher_.on_sent(message_);
  const int failure = transmit();
  // An error of the message before is reported once; a full buffer or a lost datagram is the same
  // to who waits for the answer.
  if (failure == ECONNREFUSED) refused(failure);
  if (failure != EMSGSIZE) return true;
  error = "a message of " + std::to_string(message.size()) + " bytes is too long for the way to " +
          peer().to_string() + " (MTU " + std::to_string(target_->socket().path_mtu()) + ")";
  return false;
}

// Another address of the server is tried as long as none has answered.
bool UdpSendClient::refused(int error) {
  if (!matcher_.waiting()) return true;
  if (!answered_ && target_->use_next()) {
    transmit();
    return true;
  }
  const std::string sentence = peer().to_string() + ": " + error_text(error);
  loop_.post([this, sentence] { handler_.on_failed(ExitStatus::unreachable, sentence); });
  return false;
}

void UdpSendClient::read() {
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const IoResult result = target_->socket().receive(buffer_.data(), buffer_.size(), nullptr);
    if (result.would_block()) return;
    if (!result.ok()) {
      refused(result.error);
      return;
    }
    answered_ = true;
    const std::string_view reply = std::string_view(buffer_).substr(0, result.count);
    switch (matcher_.on_reply(reply)) {
      case ReplyMatcher::Match::current:
        handler_.on_reply(reply);
        break;
      case ReplyMatcher::Match::late:
      case ReplyMatcher::Match::none:
        handler_.on_late(reply);
        break;
    }
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
