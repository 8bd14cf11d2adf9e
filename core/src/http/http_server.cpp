#include <string>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http1.hpp>
#include <netkit/http/http_server.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

// Who sends more to a stream is not read from.
constexpr std::size_t kMostIgnored = std::size_t{64} << 10U;

}  // namespace

HttpChunk::HttpChunk(std::string_view body) : size_(body.size()) {
  std::string encoded;
  encoded.reserve(body.size() + 16);
  append_chunk(encoded, body);
  begin_ = encoded.size() - 2 - body.size();
  encoded_ = std::make_shared<const std::string>(std::move(encoded));
}

HttpStream::~HttpStream() = default;

void HttpStream::write(const HttpChunk& chunk) {
  if (!ended_) carrier_->send(chunk);
}

void HttpStream::write(std::string_view body) {
  if (!ended_ && !body.empty()) carrier_->send(body);
}

void HttpStream::end() {
  if (ended_) return;
  ended_ = true;
  carrier_->end();
}

void HttpStream::cut() {
  if (ended_) return;
  ended_ = true;
  carrier_->cut();
}

// One connection of HTTP/1.1. First it answers requests; from an answer that is a stream on it only
// writes. HTTP/2 is to be another class beside it, for connections whose on_open() says `h2`.
class HttpServer::Connection final : public TcpServer::Connection, private HttpStream::Carrier {
 public:
  explicit Connection(HttpServer& http) : http_(http) {}

  bool is_stream() const { return stream_ != nullptr; }

 private:
  void on_open(std::string_view alpn) override;
  void on_received(std::string_view data) override;
  void on_half_closed() override;
  void on_gone(int error, std::string_view reason) override;
  void on_backed_up() override;
  void on_drained() override;

  void send(const HttpChunk& chunk) override;
  void send(std::string_view body) override;
  void end() override;
  void cut() override { close(); }
  bool backed_up() const override { return TcpServer::Connection::backed_up(); }
  Endpoint peer() const override { return TcpServer::Connection::peer(); }

  void answer_all(std::string_view data);
  void answer(const HttpRequest& request);
  void send_answer(const HttpAnswer& answer, HttpFraming framing);
  void begin_stream(const HttpRequest& request, HttpAnswer& answer);
  void refuse(int status, std::string_view reason);
  void wait_for_request();
  void say(std::string_view what);

  HttpServer& http_;
  std::unique_ptr<HttpRequestParser> parser_;  // until a stream begins
  std::unique_ptr<HttpStream> stream_;
  std::string unread_;       // requests that wait until answers to those before have been read
  Timer timer_;              // until which a request has to have come
  std::size_t ignored_ = 0;  // bytes that came after the request for the stream
  bool is_chunked_ = false;
  bool half_closed_ = false;
};

void HttpServer::Connection::on_open(std::string_view /*alpn*/) {
  parser_ = std::make_unique<HttpRequestParser>(http_.options_.limits);
  wait_for_request();
}

void HttpServer::Connection::on_received(std::string_view data) {
  if (stream_) {
    // Nothing that it says matters any more, but its end does.
    ignored_ += data.size();
    if (ignored_ > kMostIgnored) pause_reading();
    return;
  }
  if (unread_.empty()) return answer_all(data);
  unread_ += data;
}

void HttpServer::Connection::on_half_closed() {
  half_closed_ = true;
  if (unread_.empty()) close();
}

void HttpServer::Connection::answer_all(std::string_view data) {
  while (!data.empty() && !stream_ && !closing()) {
    if (backed_up()) {
      unread_ = data;
      return;
    }
    const HttpRequestParser::Progress progress = parser_->feed(data);
    data.remove_prefix(progress.consumed);
    if (progress.state == HttpRequestParser::State::more) return;
    if (progress.state == HttpRequestParser::State::failed) {
      ++http_.counters_.bad_requests;
      return refuse(parser_->status(), parser_->reason());
    }
    ++http_.counters_.requests;
    answer(parser_->request());
  }
}

void HttpServer::Connection::on_drained() {
  if (stream_) return stream_->on_drained();
  const std::string unread = std::exchange(unread_, {});
  answer_all(unread);
  if (half_closed_ && unread_.empty() && !closing()) close();
}

void HttpServer::Connection::on_backed_up() {
  if (stream_) stream_->on_backed_up();
}

void HttpServer::Connection::answer(const HttpRequest& request) {
  if (over_limit()) {
    const TcpServer::Options& options = http_.options_.tcp;
    return refuse(503, full_text(options.max_clients, "client", options.limit_option));
  }
  if (server().log().enabled(LogLevel::info)) {
    say(fmt::format("{} {}", request.method, request.path));
  }
  HttpAnswer made = http_.routes_.answer(request);
  if (made.stream) return begin_stream(request, made);
  HttpFraming framing;
  framing.is_head = request.method == "HEAD";
  framing.closes = !request.keep_alive || !http_.options_.keeps_alive;
  send_answer(made, framing);
  framing.closes ? close() : wait_for_request();
}

void HttpServer::Connection::send_answer(const HttpAnswer& answer, HttpFraming framing) {
  if (http_.options_.has_date) framing.date = http_.loop_.clock().wall();
  std::string out;
  append_answer(out, answer, framing);
  write(out);
}

void HttpServer::Connection::refuse(int status, std::string_view reason) {
  if (server().log().enabled(LogLevel::info)) say(fmt::format("answered {}: {}", status, reason));
  send_answer(HttpAnswer::text(status, reason), {.closes = true});
  close();
}

void HttpServer::Connection::begin_stream(const HttpRequest& request, HttpAnswer& answer) {
  HttpFraming framing;
  framing.is_head = request.method == "HEAD";
  framing.is_chunked = request.minor_version >= 1;
  framing.closes = true;
  send_answer(answer, framing);
  if (framing.is_head) return close();
  is_chunked_ = framing.is_chunked;
  timer_.reset();
  stream_ = std::move(answer.stream);
  stream_->carrier_ = this;
  stream_->slot_ = http_.streams_.size();
  http_.streams_.push_back(stream_.get());
  ++http_.counters_.streams;
  stream_->on_open();
}

void HttpServer::Connection::send(const HttpChunk& chunk) {
  is_chunked_ ? write(chunk.encoded()) : write(chunk.body());
}

void HttpServer::Connection::send(std::string_view body) {
  if (!is_chunked_) return write(body);
  std::string chunk;
  append_chunk(chunk, body);
  write(chunk);
}

void HttpServer::Connection::end() {
  if (is_chunked_) write(kLastChunk);
  close();
}

// Not for a stream; also while what was answered last is still being sent.
void HttpServer::Connection::wait_for_request() {
  timer_ = http_.loop_.after(http_.options_.request_timeout, [this] {
    if (!parser_->idle() && !closing()) {
      ++http_.counters_.request_timeouts;
      if (!http_.options_.timeout_option.empty()) {
        server().notice(fmt::format("{}: its request took longer than {} ({})", peer().to_string(),
                                    format_duration(http_.options_.request_timeout),
                                    http_.options_.timeout_option));
      }
    }
    abort();
  });
}

void HttpServer::Connection::on_gone(int /*error*/, std::string_view /*reason*/) {
  timer_.reset();
  if (!stream_) return;
  HttpStream* const last = http_.streams_.back();
  last->slot_ = stream_->slot_;
  http_.streams_[stream_->slot_] = last;
  http_.streams_.pop_back();
  stream_->ended_ = true;
  stream_->on_gone();
}

void HttpServer::Connection::say(std::string_view what) {
  server().log().info(fmt::format("{}: {}", peer().to_string(), what));
}

namespace {

TcpServer::Options with_handshake(const HttpServer::Options& options) {
  TcpServer::Options tcp = options.tcp;
  tcp.handshake_timeout = options.request_timeout;
  tcp.handshake_option = options.timeout_option;
  return tcp;
}

}  // namespace

HttpServer::HttpServer(EventLoop& loop, const Log& log, Options options, HttpRoutes routes)
    : loop_(loop),
      options_(std::move(options)),
      routes_(std::move(routes)),
      tcp_(loop, log, with_handshake(options_),
           [this](const Endpoint&) { return std::make_unique<Connection>(*this); }) {}

HttpServer::~HttpServer() = default;

void HttpServer::close() {
  close_all_but_streams();
  for_each_stream([](HttpStream& stream) { stream.end(); });
}

void HttpServer::close_all_but_streams() {
  tcp_.for_each<Connection>([](Connection& connection) {
    if (!connection.is_stream() && !connection.closing()) connection.close();
  });
}

}  // namespace netkit
