#include <array>
#include <memory>
#include <sse/event_stream.hpp>
#include <sse/json_text_parser.hpp>
#include <sse/proxy_command.hpp>
#include <sse/response_reader.hpp>
#include <sse/stream_life.hpp>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/http/http1.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/net/held_bytes.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit::sse {
namespace {

// Requests are passed on when they are whole.
constexpr std::size_t kMaxBody = std::size_t{16} << 20U;
constexpr std::size_t kMaxOfBodies = std::size_t{256} << 20U;  // that have no answer yet
constexpr std::size_t kMaxAhead = std::size_t{64} << 10U;      // of the requests after one
constexpr Duration kFarewell = std::chrono::seconds(1);

// The path and the query of a request, behind those of the target.
std::string joined_path(std::string_view target, const HttpRequest& request) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  std::string_view base = target.substr(0, mark);
  std::string_view query = target.substr(std::min(mark + 1, target.size()));
  if (base.ends_with('/')) base.remove_suffix(1);
  const bool has_both = !query.empty() && !request.query.empty();
  const bool has_one = !query.empty() || !request.query.empty();
  return fmt::format("{}{}{}{}{}{}", base, request.path, has_one ? "?" : "", query,
                     has_both ? "&" : "", request.query);
}

class Proxy {
 public:
  Proxy(Host& host, const ProxyOptions& options);

 private:
  class Session;
  struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failed = 0;
    std::uint64_t request_timeouts = 0;
  };

  void fill_totals(Totals& totals) const;
  void stop();

  Host& host_;
  ProxyOptions options_;
  std::function<bool(std::string_view)> permits_host_;
  std::shared_ptr<TlsContext> target_tls_;
  Recorder recorder_;
  Counters counters_;
  HeldBytes bodies_{kMaxOfBodies};
  TcpServer server_;
  TlsKeys keys_{server_};
  Timer timer_;
};

// One client, and the connection to the target that is its own. Bytes of answers go through as they
// come; what is in them is looked at on the side.
class Proxy::Session final : public TcpServer::Connection,
                             public TcpClient::Handler,
                             private ResponseReader::Handler,
                             private EventParser::Handler {
 public:
  Session(Proxy& proxy, const Endpoint& peer)
      : proxy_(proxy),
        requests_({.max_body = kMaxBody, .bodies = &proxy.bodies_}, peer),
        events_(proxy.options_.max_event),
        texts_(proxy.options_.max_event) {
    wait_for_request();
    show_bytes(false);  // of heads, where passwords and cookies are
  }

 private:
  // Of the client.
  void on_received(std::string_view data) override;
  void on_half_closed() override;
  void on_gone(int error, std::string_view reason) override;
  void on_backed_up() override;
  void on_drained() override;
  // Of the target.
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_end(TcpClient& client) override;
  std::string on_lost(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;
  // Of its answers.
  void on_head(const ResponseReader::Head& head) override;
  void on_body(std::string_view bytes) override;
  bool on_event(const Event& event) override;

  void wait_for_request();
  void take_requests();
  void pass_on(const HttpRequest& request);
  void send_request();
  void end_requests();
  void end_events();
  void refuse(int status, std::string_view why);

  Proxy& proxy_;
  HttpRequestParser requests_;
  std::string unread_;   // requests that wait for the answer to the one before
  std::string request_;  // that is to be sent
  std::string url_;      // that it is for
  std::unique_ptr<TcpClient> target_;
  ResponseReader answer_;
  bool is_asking_ = false;  // there is no whole answer to the last request yet
  bool is_last_ = false;    // of the requests of this client
  bool has_said_all_ = false;
  bool has_answered_ = false;
  Timer patience_;  // with the next request
  std::uint64_t recorded_ = 0;
  std::optional<StreamFormat> format_;  // none: the answer has no events that can be shown
  EventParser events_;
  JsonTextParser texts_;
};

void Proxy::Session::on_received(std::string_view data) {
  unread_ += data;
  if (!is_asking_) take_requests();
  // One that says more than it may is read on when it is its turn.
  if (is_asking_ && unread_.size() > kMaxAhead) pause_reading();
}

// One who has not begun a request goes without a word.
void Proxy::Session::wait_for_request() {
  patience_ = proxy_.host_.loop().after(proxy_.options_.request_timeout, [this] {
    if (closing()) return;
    if (requests_.idle()) return close();
    ++proxy_.counters_.request_timeouts;
    refuse(408, fmt::format("the request took longer than {} (--request-timeout)",
                            format_duration(proxy_.options_.request_timeout)));
  });
}

void Proxy::Session::take_requests() {
  while (!unread_.empty() && !is_asking_ && !closing()) {
    const HttpRequestParser::Progress progress = requests_.feed(unread_);
    unread_.erase(0, progress.consumed);
    if (progress.state == HttpRequestParser::State::more) {
      if (requests_.take_expectation()) write(kContinue);
      return;
    }
    if (progress.state == HttpRequestParser::State::failed) {
      return refuse(requests_.status(), requests_.reason());
    }
    pass_on(requests_.request());
  }
}

// As it came, but for Host and the path.
void Proxy::Session::pass_on(const HttpRequest& request) {
  patience_.reset();
  if (over_limit())
    return refuse(503, full_text(proxy_.options_.server.max_clients, "client", "--max-clients"));
  if (!proxy_.permits_host_(request.header("Host").value_or(""))) {
    return refuse(421, "this server does not have that host name (--host)");
  }
  const HttpUrl& target = proxy_.options_.target;
  url_ = joined_path(target.path, request);
  request_ = fmt::format("{} {} HTTP/1.{}\r\nHost: {}\r\n", request.method, url_,
                         request.minor_version, target.host);
  for (const HttpHeader& header : request.headers) {
    if (http::equal_without_case(header.name, "Host")) continue;
    fmt::format_to(std::back_inserter(request_), "{}: {}\r\n", header.name, header.value);
  }
  request_ += "\r\n";
  if (request.header("Transfer-Encoding")) {
    if (!request.body.empty()) request_ += *HttpChunk(request.body).encoded();
    request_ += "0\r\n\r\n";
  } else {
    request_ += request.body;
  }
  ++proxy_.counters_.requests;
  proxy_.host_.log().info(
      fmt::format("{}: {} {}", peer().to_string(), request.method, request.path));
  is_asking_ = true;
  is_last_ = !request.keep_alive;
  has_answered_ = false;
  answer_.restart(request.method == "HEAD");
  recorded_ = proxy_.recorder_.next_connection();
  proxy_.recorder_.record(
      recorded_, Direction::to_server,
      fmt::format("{} {}{}{} HTTP/1.1\r\nHost: {}\r\n\r\n", request.method, request.path,
                  request.query.empty() ? "" : "?", request.query, target.host));
  if (target_) return send_request();
  target_ = std::make_unique<TcpClient>(
      proxy_.host_.loop(), proxy_.host_.log(),
      TcpClient::Options{.servers = {target.server},
                         .connect_timeout = proxy_.options_.connect_timeout,
                         .reconnect = {.limit = Reconnect::kNever},
                         .tcp = {},
                         .tls = proxy_.target_tls_},
      *this);
  target_->start();
}

void Proxy::Session::send_request() {
  if (target_->stream() == nullptr) return;
  target_->stream()->write(std::exchange(request_, {}));
  end_requests();
}

void Proxy::Session::on_connected(TcpClient& /*client*/) {
  send_request();
}

void Proxy::Session::on_data(TcpClient& /*client*/, std::string_view data) {
  if (!std::exchange(has_answered_, true)) requests_.drop_body();
  proxy_.counters_.bytes += data.size();
  write(data);
  proxy_.recorder_.record(recorded_, Direction::to_client, data);
  if (!is_asking_) return;
  answer_.feed(data, *this);
  if (answer_.state() == ResponseReader::State::more) return;
  if (answer_.finish()) end_events();
  is_asking_ = false;
  if (is_last_) return close();
  resume_reading();
  wait_for_request();
  take_requests();
  if (has_said_all_ && !is_asking_ && !closing()) close();
}

void Proxy::Session::on_end(TcpClient& client) {
  if (is_asking_ && answer_.finish()) end_events();
  client.stop();
  close();
}

std::string Proxy::Session::on_lost(TcpClient& /*client*/) {
  return {};
}

void Proxy::Session::on_gave_up(TcpClient& /*client*/, ExitStatus /*status*/,
                                const std::string& error) {
  if (has_answered_ || !is_asking_) return close();
  ++proxy_.counters_.failed;
  server().notice(error);
  refuse(502, error);
}

void Proxy::Session::refuse(int status, std::string_view why) {
  std::string out;
  append_answer(out, HttpAnswer::text(status, why), {.closes = true});
  write(out);
  close();
}

void Proxy::Session::on_half_closed() {
  has_said_all_ = true;
  if (!is_asking_) return close();
  if (request_.empty()) end_requests();
}

// A client that has gone looks the same as one that waits for the rest of its answer: the target
// is to decide, as it does without a proxy.
void Proxy::Session::end_requests() {
  if (!has_said_all_ || !unread_.empty() || target_->stream() == nullptr) return;
  target_->stream()->half_closes() ? target_->stream()->shutdown_write() : close();
}

void Proxy::Session::on_gone(int /*error*/, std::string_view /*reason*/) {
  if (target_) target_->stop();
}

void Proxy::Session::on_backed_up() {
  if (target_ && target_->stream() != nullptr) target_->stream()->pause_reading();
}

void Proxy::Session::on_drained() {
  if (target_ && target_->stream() != nullptr) target_->stream()->resume_reading();
}

void Proxy::Session::on_head(const ResponseReader::Head& head) {
  format_ = head.status == 200 ? stream_format(head.content_type) : std::nullopt;
  if (!format_) return;
  events_ = EventParser(proxy_.options_.max_event);
  texts_.restart(*format_);
  if (head.content_encoding.empty()) return;
  format_.reset();
  server().notice(fmt::format("{}: {}: the response is compressed: its events are not shown",
                              peer().to_string(), url_));
}

// The answer has come whole: a last line of JSON needs no end.
void Proxy::Session::end_events() {
  if (format_ && *format_ != StreamFormat::events) texts_.finish(*this);
}

void Proxy::Session::on_body(std::string_view bytes) {
  if (!format_) return;
  const ParseResult result =
      *format_ == StreamFormat::events ? events_.feed(bytes, *this) : texts_.feed(bytes, *this);
  if (result != ParseResult::too_big) return;
  format_.reset();
  server().notice(fmt::format("{}: {}: {}: no more are shown", peer().to_string(), url_,
                              events_.too_big_reason()));
}

bool Proxy::Session::on_event(const Event& event) {
  ++proxy_.counters_.events;
  if (!proxy_.host_.output().wanted()) return true;
  const Endpoint from = peer();
  const std::array<Field, 3> fields{Field{"event", event.type}, Field{"id", event.id},
                                    Field{"url", std::string_view(url_)}};
  Record record;
  record.type = "event";
  record.time = proxy_.host_.clock().wall();
  record.peer = &from;
  record.fields = fields;
  record.payload = event.data;
  proxy_.host_.output().emit(record);
  return true;
}

TcpServer::Options server_options(const ProxyOptions& options) {
  TcpServer::Options server = options.server;
  server.handshake_timeout = options.request_timeout;
  server.handshake_option = "--request-timeout";
  if (options.tls) server.tls = TlsContext::server(*options.tls);
  return server;
}

Proxy::Proxy(Host& host, const ProxyOptions& options)
    : host_(host),
      options_(options),
      permits_host_(http::own_hosts(options.hosts)),
      target_tls_(options.target.is_tls ? TlsContext::client(options.target_tls) : nullptr),
      recorder_(host, "sse", options.record),
      server_(host.loop(), host.log(), server_options(options),
              [this](const Endpoint& peer) { return std::make_unique<Session>(*this, peer); }) {
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  server_.listen(options_.listen);
  host_.ready(server_.descriptions());
}

void Proxy::fill_totals(Totals& totals) const {
  totals.add("requests", counters_.requests);
  totals.add("events", counters_.events);
  totals.add("bytes", counters_.bytes);
  totals.add("failed", counters_.failed);
  totals.add("request_timeouts",
             counters_.request_timeouts + server_.counters().handshake_timeouts);
  add_tcp_clients(totals, server_.counters());
  totals.add("clients", server_.size());
}

void Proxy::stop() {
  server_.stop_accepting();
  timer_ = host_.loop().after(kFarewell, [this] { host_.finish(ExitStatus::done); });
  server_.for_each<Session>([](Session& session) {
    if (!session.closing()) session.close();
  });
  server_.when_empty([this] { host_.finish(ExitStatus::done); });
}

}  // namespace

void ProxyCommand::configure(const Values& values) {
  options_.listen = values.address("LISTEN");
  options_.target = target_of(values);
  options_.hosts = values.texts("host");
  options_.hosts.push_back(options_.listen.host);
  options_.tls = tls_server(values);
  options_.target_tls = {.ca_file = values.text("cacert"), .insecure = values.flag("insecure")};
  options_.connect_timeout = values.duration("connect-timeout");
  options_.request_timeout = values.duration("request-timeout");
  read_tcp_client_limits(values, options_.server);
  options_.max_event = values.size("max-event");
  options_.record = values.text("record");
}

ExitStatus ProxyCommand::run(Host& host) {
  if (options_.target_tls.insecure) {
    host.log().notice("--insecure: the target's certificate is not verified");
  }
  const Proxy proxy(host, options_);
  return host.run_loop();
}

}  // namespace netkit::sse
