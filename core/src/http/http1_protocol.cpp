#include "http/http_connection.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <netkit/http/http1.hpp>

namespace netkit {
namespace {

// A client that sends more than this to a stream, or while it waits for an answer, is not read
// from.
constexpr std::size_t kMostUnread = std::size_t{64} << 10U;
// Of whole answers that wait for a client, beyond what the kernel holds: any number of clients may
// ask for more than they read.
constexpr std::size_t kMostUnsent = std::size_t{64} << 10U;
constexpr std::size_t kLittleUnsent = std::size_t{16} << 10U;

}  // namespace

// Answers requests; while an answer is a stream it only writes, and continues when the stream has
// ended.
class HttpServer::Http1 final : public Protocol, private HttpStream::Carrier {
 public:
  explicit Http1(Connection& connection)
      : connection_(connection),
        parser_(
            std::make_unique<HttpRequestParser>(connection.options().limits, connection.peer())) {
    expect_requests();
  }

 private:
  void on_received(std::string_view data) override;
  void on_half_closed() override;
  void on_gone() override;
  void on_backed_up() override;
  void on_drained() override;
  void stop() override;

  void send(const HttpChunk& chunk) override;
  void send(std::string_view body) override;
  void end() override;
  void cut() override { connection_.close(); }
  bool backed_up() const override { return connection_.backed_up(); }
  Endpoint peer() const override { return connection_.peer(); }

  void answer_all(std::string_view data);
  void answer(const HttpRequest& request);
  void send_answer(const HttpAnswer& answer, HttpFraming framing);
  void finish_answer(const HttpAnswer& answer, HttpFraming framing);
  void await(HttpAnswer& head, HttpFraming framing);
  void begin_stream(const HttpRequest& request, HttpAnswer& answer);
  void end_with(const HttpAnswer& answer);
  void expect_requests();
  void wait_for_request();
  void go_on();

  Connection& connection_;
  std::unique_ptr<HttpRequestParser> parser_;
  std::unique_ptr<HttpStream> stream_;
  std::shared_ptr<HttpLater> later_;  // the answer that is waited for
  std::string unread_;       // requests that wait until answers to those before have been read
  Timer ending_;             // of a complete stream: the caller may be that stream
  std::size_t ignored_ = 0;  // bytes received after the request for the stream
  bool is_chunked_ = false;
  bool stays_open_ = false;  // when the stream has ended
  bool half_closed_ = false;
  bool is_stopping_ = false;  // the connection closes with the answer that is waited for
};

std::unique_ptr<HttpServer::Protocol> HttpServer::Protocol::http1(Connection& connection) {
  return std::make_unique<Http1>(connection);
}

void HttpServer::Http1::on_received(std::string_view data) {
  if (stream_ && !ending_.pending()) {
    // Nothing that it sends matters any more, except its end.
    stays_open_ = false;
    ignored_ += data.size();
    if (ignored_ > kMostUnread) connection_.pause_reading();
    return;
  }
  if (unread_.empty() && !stream_) return answer_all(data);
  unread_ += data;
  if (unread_.size() > kMostUnread) connection_.pause_reading();
}

void HttpServer::Http1::on_half_closed() {
  half_closed_ = true;
  if (unread_.empty() && !later_) connection_.close();
}

void HttpServer::Http1::answer_all(std::string_view data) {
  while (!data.empty() && !stream_ && !connection_.closing()) {
    if (backed_up() || later_) {
      unread_ = data;
      return;
    }
    const HttpRequestParser::Progress progress = parser_->feed(data);
    data.remove_prefix(progress.consumed);
    if (progress.state == HttpRequestParser::State::more) {
      if (parser_->take_expectation()) connection_.write(kContinue);
      return;
    }
    if (progress.state == HttpRequestParser::State::failed) {
      ++connection_.http().counters_.bad_requests;
      return end_with(connection_.refusal(parser_->status(), parser_->reason()));
    }
    answer(parser_->request());
    parser_->drop_body();
  }
  // What came after the request for a stream is dropped: a client that waits for its answer sees
  // the connection end.
  if (stream_ && !data.empty()) stays_open_ = false;
}

void HttpServer::Http1::on_drained() {
  if (stream_) return Connection::drain(*stream_);
  if (later_) return;
  const std::string unread = std::exchange(unread_, {});
  connection_.resume_reading();
  answer_all(unread);
  if (half_closed_ && unread_.empty() && !connection_.closing()) connection_.close();
}

void HttpServer::Http1::on_backed_up() {
  if (stream_) Connection::back_up(*stream_);
}

void HttpServer::Http1::stop() {
  stays_open_ = false;
  is_stopping_ = true;
  if (!later_ && (!stream_ || ending_.pending())) connection_.close();
}

void HttpServer::Http1::answer(const HttpRequest& request) {
  HttpAnswer made = connection_.answer_to(request);
  if (connection_.over_limit()) return end_with(made);
  if (made.stream) return begin_stream(request, made);
  HttpFraming framing;
  framing.is_head = request.method == "HEAD";
  framing.closes = !request.keep_alive || !connection_.options().keeps_alive;
  made.later ? await(made, framing) : finish_answer(made, framing);
}

void HttpServer::Http1::finish_answer(const HttpAnswer& answer, HttpFraming framing) {
  send_answer(answer, framing);
  framing.closes ? connection_.close() : wait_for_request();
}

// Requests behind it wait as well: answers come in the order of what was asked.
void HttpServer::Http1::await(HttpAnswer& head, HttpFraming framing) {
  connection_.stop_waiting();
  later_ = head.later;
  Connection::await(head, [this, framing](const HttpAnswer& given) {
    later_.reset();
    finish_answer(given, {.is_head = framing.is_head, .closes = framing.closes || is_stopping_});
    if (!backed_up()) on_drained();
  });
}

void HttpServer::Http1::send_answer(const HttpAnswer& answer, HttpFraming framing) {
  framing.date = connection_.date();
  std::string out;
  append_answer(out, answer, framing);
  connection_.write(out);
}

void HttpServer::Http1::end_with(const HttpAnswer& answer) {
  send_answer(answer, {.closes = true});
  connection_.close();
}

void HttpServer::Http1::begin_stream(const HttpRequest& request, HttpAnswer& answer) {
  HttpFraming framing;
  framing.is_head = request.method == "HEAD";
  framing.is_chunked = request.minor_version >= 1;
  const TcpServer::Options& tcp = connection_.options().tcp;
  connection_.stream().set_water_marks(tcp.low_water, tcp.high_water);
  // A client that is told of the close may take a stream that was cut for a whole one.
  stays_open_ = framing.is_chunked && !framing.is_head && request.keep_alive &&
                connection_.options().keeps_alive;
  framing.closes = !stays_open_;
  send_answer(answer, framing);
  if (framing.is_head) return connection_.close();
  is_chunked_ = framing.is_chunked;
  connection_.stop_waiting();
  stream_ = std::move(answer.stream);
  connection_.add(*stream_, *this);
  Connection::open(*stream_);
}

void HttpServer::Http1::send(const HttpChunk& chunk) {
  connection_.show_bytes(true);
  is_chunked_ ? connection_.write(chunk.encoded()) : connection_.write(chunk.body());
  connection_.show_bytes(false);
}

void HttpServer::Http1::send(std::string_view body) {
  if (!is_chunked_) return connection_.write(body);
  std::string chunk;
  append_chunk(chunk, body);
  connection_.write(chunk);
}

void HttpServer::Http1::end() {
  if (is_chunked_) connection_.write(kLastChunk);
  if (!stays_open_) return connection_.close();
  ending_ = connection_.http().loop_.after(Duration::zero(), [this] { go_on(); });
}

void HttpServer::Http1::go_on() {
  connection_.remove(*stream_);
  stream_.reset();
  if (!stays_open_) return connection_.close();
  expect_requests();
  if (!backed_up()) on_drained();
}

// At first, and after a stream, which has marks of its own.
void HttpServer::Http1::expect_requests() {
  const TcpServer::Options& tcp = connection_.options().tcp;
  connection_.stream().set_water_marks(std::min(tcp.low_water, kLittleUnsent),
                                       std::min(tcp.high_water, kMostUnsent));
  wait_for_request();
}

// Not for a stream; also while what was answered last is still being sent.
void HttpServer::Http1::wait_for_request() {
  connection_.wait_for_request([this] { return !parser_->idle(); });
}

void HttpServer::Http1::on_gone() {
  ending_.reset();
  if (later_) Connection::forget(*std::exchange(later_, {}));
  if (stream_) connection_.remove(*stream_);
}

}  // namespace netkit
