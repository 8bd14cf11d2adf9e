#include "plugin/metrics_server.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/resolver.hpp>
#include <netkit/net/tcp_stream.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxConnections = 16;
constexpr std::size_t kMaxRequest = std::size_t{8} * 1024;  // bytes of its head
constexpr Duration kPatience = std::chrono::seconds(5);

std::string make_answer(std::string_view status, std::string_view type, std::string_view body) {
  std::string answer = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: ";
  answer.append(type).append("\r\nContent-Length: ").append(std::to_string(body.size()));
  answer.append("\r\nConnection: close\r\n\r\n").append(body);
  return answer;
}

// The first word of `text`, which it is taken from.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

std::string metrics_answer(std::string_view request, const std::function<std::string()>& text) {
  static constexpr std::string_view kPlain = "text/plain; charset=utf-8";
  const std::string_view method = take_word(request);
  const std::string_view target = take_word(request);
  if (!request.starts_with("HTTP/1.")) {
    return make_answer("400 Bad Request", kPlain, "this is not HTTP/1.1\n");
  }
  if (method != "GET") return make_answer("405 Method Not Allowed", kPlain, "GET only\n");
  if (target.substr(0, target.find('?')) != "/metrics") {
    return make_answer("404 Not Found", kPlain, "see /metrics\n");
  }
  return make_answer("200 OK", "text/plain; version=0.0.4; charset=utf-8", text());
}

class MetricsServer::Connection final : public ByteStream::Handler {
 public:
  Connection(MetricsServer& server, FileDescriptor socket, const Endpoint& peer)
      : server_(server),
        stream_(make_tcp_stream(server.loop_, std::move(socket), peer, *this)),
        timeout_(server.loop_.after(kPatience, [this] { server_.remove(*this); })) {}

  void on_data(ByteStream& stream, std::string_view data) override {
    if (answered_) return;
    request_ += data.substr(0, kMaxRequest);
    const bool whole = request_.find("\r\n\r\n") != request_.npos;
    if (!whole && request_.size() < kMaxRequest) return;
    answered_ = true;
    const std::string_view line = std::string_view(request_).substr(0, request_.find("\r\n"));
    stream.write(metrics_answer(whole ? line : std::string_view(), server_.text_));
    stream.close();
  }
  void on_closed(ByteStream& /*stream*/, int /*error*/, std::string_view /*reason*/) override {
    server_.remove(*this);
  }

 private:
  MetricsServer& server_;
  std::unique_ptr<ByteStream> stream_;
  Timer timeout_;
  std::string request_;
  bool answered_ = false;
};

MetricsServer::MetricsServer(EventLoop& loop, const std::string& address,
                             std::function<std::string()> text)
    : loop_(loop), text_(std::move(text)) {
  for (const Endpoint& local : resolve(AddressSpec::parse(address, AddressRole::server))) {
    listeners_.push_back(std::make_unique<TcpListener>(
        loop_, listen_tcp(local),
        [this](FileDescriptor socket, const Endpoint& peer) { accept(std::move(socket), peer); }));
  }
}

MetricsServer::~MetricsServer() = default;

std::vector<Endpoint> MetricsServer::locals() const {
  std::vector<Endpoint> locals;
  for (const auto& listener : listeners_) locals.push_back(listener->local());
  return locals;
}

void MetricsServer::accept(FileDescriptor socket, const Endpoint& peer) {
  if (connections_.size() >= kMaxConnections) return;  // closed at once
  connections_.push_back(std::make_unique<Connection>(*this, std::move(socket), peer));
}

void MetricsServer::remove(const Connection& connection) {
  const auto is_it = [&](const auto& one) { return one.get() == &connection; };
  const auto at = std::find_if(connections_.begin(), connections_.end(), is_it);
  if (at == connections_.end()) return;
  loop_.destroy_later(std::move(*at));
  connections_.erase(at);
}

}  // namespace netkit
