#include <cerrno>
#include <echo/send_client.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxDatagram = 65'507;

// A single connection, without reconnecting.
TcpClient::Options tcp_options(const std::vector<AddressSpec>& servers, Duration connect_timeout) {
  TcpClient::Options options;
  options.servers = servers;
  options.connect_timeout = connect_timeout;
  options.reconnect.limit = Reconnect::kNever;
  return options;
}

}  // namespace

UdpSendClient::UdpSendClient(EventLoop& loop, std::vector<AddressSpec> servers,
                             SendClient::Handler& handler)
    : loop_(loop), servers_(std::move(servers)), handler_(handler) {}

void UdpSendClient::open() {
  UdpClient::Handler& handler = *this;
  if (client_) {
    client_->start_over();
  } else {
    client_.emplace(loop_, servers_, handler, UdpClient::Options{});
  }
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
  // To a client that waits for the answer a full buffer is the same as a lost datagram.
  if (client_->send_now(message_) != EMSGSIZE) return true;
  error = fmt::format("a message of {} bytes is too long for the path to {} (MTU {})",
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

TcpSendClient::TcpSendClient(EventLoop& loop, const Log& log,
                             const std::vector<AddressSpec>& servers, Duration connect_timeout,
                             bool any_answer, SendClient::Handler& handler)
    : loop_(loop),
      handler_(handler),
      any_answer_(any_answer),
      client_(loop, log, tcp_options(servers, connect_timeout), *this) {}

void TcpSendClient::on_connected(TcpClient& client) {
  peer_ = client.stream()->peer();
  handler_.on_open();
}

bool TcpSendClient::send(const std::string& message, std::string&) {
  reply_.clear();
  if (message.empty()) {  // and so is its echo
    loop_.post([this] { handler_.on_reply({}); });
    return true;
  }
  asked_ = true;
  if (!any_answer_) counter_.on_sent(message.size());
  client_.stream()->write(message);
  return true;
}

void TcpSendClient::give_up() {
  counter_.on_overdue();
  reply_.clear();
}

void TcpSendClient::on_data(TcpClient& /*client*/, std::string_view data) {
  if (any_answer_)
    return std::exchange(asked_, false) ? handler_.on_reply(data) : handler_.on_late(data);
  reply_ += counter_.take(data);
  if (!reply_.empty() && !counter_.waiting()) {
    const std::string reply = std::exchange(reply_, {});
    handler_.on_reply(reply);
  }
}

void TcpSendClient::on_gave_up(TcpClient& /*client*/, ExitStatus status, const std::string& error) {
  handler_.on_failed(status, error);
}

}  // namespace netkit::echo
