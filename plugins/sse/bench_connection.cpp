#include <algorithm>
#include <optional>
#include <sse/bench_connection.hpp>
#include <sse/event_stream.hpp>
#include <sse/json_text_parser.hpp>
#include <sse/response_reader.hpp>
#include <sse/stream_life.hpp>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/http/http2_client.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxEvent = std::size_t{16} << 20U;

TcpClient::Options client_options(const BenchSurroundings& with) {
  return {.servers = {with.url.server},
          .connect_timeout = with.connect_timeout,
          .reconnect = {.limit = Reconnect::kNever},
          .tcp = {},
          .tls = with.tls};
}

// One stream, whatever carries it.
class Reader final : private EventParser::Handler {
 public:
  explicit Reader(BenchMeter& meter) : meter_(meter), parser_(kMaxEvent) {}

  void start(TimePoint now) { had_.started = now; }
  // What makes the answer one of no use; nothing where it is a stream.
  std::string take_head(int status, std::string_view content_type) {
    if (judge(status, content_type) != Answer::stream) {
      return failure_of({status, content_type, {}}).message;
    }
    const StreamFormat format = any_format(content_type);
    if (format != StreamFormat::events) texts_.emplace(kMaxEvent).restart(format);
    is_open_ = true;
    meter_.on_open();
    return {};
  }
  std::string take_body(std::string_view bytes, TimePoint now) {
    now_ = now;
    const ParseResult result = texts_ ? texts_->feed(bytes, *this) : parser_.feed(bytes, *this);
    return result == ParseResult::too_big ? parser_.too_big_reason() : std::string();
  }
  // There is no stream any more. Whether that is new.
  bool end() {
    if (std::exchange(is_open_, false)) meter_.on_end();
    if (std::exchange(has_failed_, true)) return false;
    meter_.on_failed();
    return true;
  }
  bool has_failed() const { return has_failed_; }
  void tell_wait(TimePoint now) const {
    if (is_open_) meter_.on_wait(had_, now);
  }

 private:
  bool on_event(const Event& event) override {
    meter_.on_event(had_, event.id, now_);
    return true;
  }

  BenchMeter& meter_;
  EventParser parser_;
  std::optional<JsonTextParser> texts_;  // where the answer is of JSON texts
  BenchMeter::Reader had_;
  TimePoint now_;
  bool is_open_ = false;
  bool has_failed_ = false;
};

class Http1Connection final : public BenchConnection,
                              private TcpClient::Handler,
                              private ResponseReader::Handler {
 public:
  Http1Connection(const BenchSurroundings& with, BenchConnection::Handler& handler)
      : with_(with),
        handler_(handler),
        client_(with.loop, with.log, client_options(with), *this),
        reader_(with.meter) {}

  void start() override {
    started_ = with_.loop.now();
    reader_.start(started_);
    client_.start();
  }
  void end() override { reader_.tell_wait(with_.loop.now()); }

 private:
  void on_connected(TcpClient& client) override {
    with_.meter.on_connected(with_.loop.now() - started_);
    client.stream()->write(fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n"
        "User-Agent: netkit\r\n\r\n",
        with_.url.path, with_.url.host));
  }
  void on_data(TcpClient& client, std::string_view data) override {
    with_.meter.on_bytes(data.size());
    answer_.feed(data, *this);
    if (!why_.empty()) return client.drop(std::exchange(why_, {}), ExitStatus::protocol);
    if (answer_.state() != ResponseReader::State::more) {
      client.drop("the server closed the stream", ExitStatus::unreachable);
    }
  }
  void on_gave_up(TcpClient& /*client*/, ExitStatus status, const std::string& error) override {
    if (reader_.end()) handler_.on_reader_failed(status, error);
  }
  void on_head(const ResponseReader::Head& head) override {
    why_ = reader_.take_head(head.status, head.content_type);
  }
  void on_body(std::string_view bytes) override {
    if (why_.empty()) why_ = reader_.take_body(bytes, with_.loop.now());
  }

  const BenchSurroundings& with_;
  BenchConnection::Handler& handler_;
  TcpClient client_;
  ResponseReader answer_;
  Reader reader_;
  std::string why_;  // the answer is of no use
  TimePoint started_;
};

class Http2Connection final : public BenchConnection,
                              private TcpClient::Handler,
                              private Http2Client::Handler {
 public:
  Http2Connection(const BenchSurroundings& with, BenchConnection::Handler& handler,
                  std::size_t readers)
      : with_(with),
        handler_(handler),
        client_(with.loop, with.log, client_options(with), *this),
        http_(Http2Client::make(*this)),
        readers_(readers, Reader(with.meter)) {}

  void start() override {
    started_ = with_.loop.now();
    for (Reader& reader : readers_) reader.start(started_);
    client_.start();
  }
  void end() override {
    for (const Reader& reader : readers_) reader.tell_wait(with_.loop.now());
  }

 private:
  using StreamId = Http2Client::StreamId;

  void on_connected(TcpClient& /*client*/) override {
    with_.meter.on_connected(with_.loop.now() - started_);
    send();
  }
  void on_data(TcpClient& client, std::string_view data) override {
    with_.meter.on_bytes(data.size());
    http_->receive(data);
    send();
    if (!http_->over()) return;
    client.drop(is_ready_ ? "the server closed the connection" : "the server does not speak HTTP/2",
                is_ready_ ? ExitStatus::unreachable : ExitStatus::protocol);
  }
  void on_gave_up(TcpClient& /*client*/, ExitStatus status, const std::string& error) override {
    for (Reader& reader : readers_) fail(reader, status, error);
  }
  void on_ready(std::uint32_t max_streams) override {
    is_ready_ = true;
    const std::size_t most = std::min<std::size_t>(readers_.size(), max_streams);
    for (std::size_t i = 0; i < most; ++i) {
      http_->get(with_.url.is_tls ? "https" : "http", with_.url.host, with_.url.path,
                 {{"accept", "text/event-stream"},
                  {"cache-control", "no-cache"},
                  {"user-agent", "netkit"}});
    }
    for (std::size_t i = most; i < readers_.size(); ++i) {
      fail(readers_[i], ExitStatus::again,
           fmt::format("the server allows {} per connection (--streams)",
                       counted(max_streams, "stream")));
    }
  }
  void on_head(StreamId stream, int status, std::string_view content_type) override {
    refuse(stream, reader_of(stream).take_head(status, content_type));
  }
  void on_body(StreamId stream, std::string_view bytes) override {
    Reader& reader = reader_of(stream);
    if (!reader.has_failed()) refuse(stream, reader.take_body(bytes, with_.loop.now()));
  }
  void on_closed(StreamId stream, bool /*is_whole*/) override {
    fail(reader_of(stream), ExitStatus::unreachable, "the server closed the stream");
  }

  // A client's streams have the odd numbers, one after the other.
  Reader& reader_of(StreamId stream) { return readers_[static_cast<std::size_t>(stream - 1) / 2]; }
  void refuse(StreamId stream, const std::string& why) {
    if (why.empty()) return;
    http_->cancel(stream);
    fail(reader_of(stream), ExitStatus::protocol, why);
  }
  void fail(Reader& reader, ExitStatus status, const std::string& error) {
    if (reader.end()) handler_.on_reader_failed(status, error);
  }
  void send() {
    std::string out;
    http_->pull(out);
    if (!out.empty() && client_.stream() != nullptr) client_.stream()->write(out);
  }

  const BenchSurroundings& with_;
  BenchConnection::Handler& handler_;
  TcpClient client_;
  std::unique_ptr<Http2Client> http_;
  std::vector<Reader> readers_;
  TimePoint started_;
  bool is_ready_ = false;
};

}  // namespace

std::unique_ptr<BenchConnection> BenchConnection::http1(const BenchSurroundings& with,
                                                        Handler& handler) {
  return std::make_unique<Http1Connection>(with, handler);
}

std::unique_ptr<BenchConnection> BenchConnection::http2(const BenchSurroundings& with,
                                                        Handler& handler, std::size_t readers) {
  return std::make_unique<Http2Connection>(with, handler, readers);
}

}  // namespace netkit::sse
