#include <algorithm>
#include <array>
#include <chrono>
#include <sse/http_url.hpp>
#include <sse/stream_reader.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http_stream.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

// How long the first bytes of an answer that is no stream are waited for.
constexpr Duration kBodyPatience = std::chrono::seconds(2);
// Newer libcurl leave a header out that is longer than 300 KiB, and say nothing.
constexpr std::size_t kLongestId = std::size_t{256} << 10U;

}  // namespace

StreamReader::StreamReader(Host& host, CurlLoop& curl, const RequestOptions& request,
                           const StreamOptions& options, Recorder& recorder, std::string url,
                           std::string_view last_event_id, Handler& handler)
    : host_(host),
      request_options_(request),
      options_(options),
      recorder_(recorder),
      url_(std::move(url)),
      handler_(handler),
      attempts_(host.loop(), host.log(), options.reconnect, {url_}, [this] { this->request(); }),
      life_(options.retry, options.reconnect.maximum),
      parser_(options.max_event, last_event_id),
      texts_(options.max_event),
      exchange_(curl, request, *this) {}

void StreamReader::request() {
  ++requests_;
  mode_ = Mode::waiting;
  fault_.reset();
  last_bytes_ = host_.loop().now();
  timing_.on_request(last_bytes_);
  watch_idle();
  const std::string_view id = parser_.last_event_id();
  if (id.size() <= kLongestId) return exchange_.start(url_, id);
  too_long_ = host_.loop().after(Duration::zero(), [this, size = id.size()] {
    on_exchange_end(
        Failure{ExitStatus::protocol,
                fmt::format("the last event id is too long for a request: {} bytes", size), true});
  });
}

void StreamReader::stop() {
  stopped_ = true;
  attempts_.stop();
  patience_.reset();
  idle_.reset();
  too_long_.reset();
  exchange_.cancel();
}

void StreamReader::on_head(const HttpExchange::Head& head) {
  last_bytes_ = host_.loop().now();
  if (recorder_.is_open()) record_head(head);
  if (judge(head.status, head.content_type, options_.any_type) == Answer::stream) {
    mode_ = Mode::stream;
    peer_ = head.peer;
    format_ = any_format(head.content_type);
    texts_.restart(format_);
    ++connections_;
    life_.on_open();
    return attempts_.succeeded();
  }
  mode_ = Mode::rejected;
  status_ = head.status;
  content_type_ = head.content_type;
  retry_after_ = head.retry_after;
  body_start_.clear();
  patience_ = host_.loop().after(kBodyPatience, [this] {
    exchange_.cancel();
    reject();
  });
}

bool StreamReader::on_body(std::string_view bytes) {
  last_bytes_ = host_.loop().now();
  if (recorder_.is_open()) record(*HttpChunk(bytes).encoded());
  if (mode_ == Mode::stream) return feed(bytes);
  const std::size_t room = kShownBody - std::min(body_start_.size(), kShownBody);
  body_start_.append(bytes, 0, room);
  return body_start_.size() < kShownBody;
}

// The body is kept decoded, and as chunks, so that what was cut off can be told from what was
// whole.
void StreamReader::record_head(const HttpExchange::Head& head) {
  recorded_ = recorder_.next_connection();
  const std::string method = !request_options_.method.empty() ? request_options_.method
                             : request_options_.data          ? "POST"
                                                              : "GET";
  recorder_.record(recorded_, Direction::to_server, plain_request(method, exchange_.url()));
  std::string text = fmt::format("HTTP/1.1 {} \r\n", head.status);
  for (std::string_view rest = head.lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    if (line.empty()) break;
    rest.remove_prefix(line.size());
    const bool is_kept = std::ranges::none_of(
        std::array<std::string_view, 4>{"Transfer-Encoding", "Content-Encoding", "Content-Length",
                                        "Connection"},
        [&](std::string_view name) {
          return http::equal_without_case(http::header_name(line), name);
        });
    if (is_kept && !trim_white_space(line).empty()) text += line;
  }
  record(text + "Transfer-Encoding: chunked\r\n\r\n");
}

void StreamReader::record(std::string_view bytes) {
  recorder_.record(recorded_, Direction::to_client, bytes);
}

bool StreamReader::feed(std::string_view bytes) {
  if (!handler_.on_stream_bytes()) {
    stopped_ = true;
    return false;
  }
  const std::uint64_t before = events_;
  const bool is_events = format_ == StreamFormat::events;
  const ParseResult result = is_events ? parser_.feed(bytes, *this) : texts_.feed(bytes, *this);
  timing_.on_read(last_bytes_, events_ - before);
  switch (result) {
    case ParseResult::more:
      return true;
    case ParseResult::too_big:
      fault_ = Failure{ExitStatus::protocol, parser_.too_big_reason(), true};
      return false;
    case ParseResult::stopped:
      break;
  }
  stopped_ = true;
  return false;
}

void StreamReader::on_exchange_end(const std::optional<Failure>& failure) {
  patience_.reset();
  idle_.reset();
  if (stopped_) return;
  if (fault_) return lose(*fault_);
  if (mode_ == Mode::rejected) return reject();
  if (failure) return lose(*failure);
  if (recorder_.is_open()) record("0\r\n\r\n");
  if (format_ != StreamFormat::events && !finish_texts()) return;
  lose({options_.once ? ExitStatus::done : ExitStatus::unreachable, "the server closed the stream",
        options_.once});
}

// False: no more events are wanted.
bool StreamReader::finish_texts() {
  const std::uint64_t before = events_;
  stopped_ = texts_.finish(*this) == ParseResult::stopped;
  if (events_ != before) timing_.on_read(last_bytes_, events_ - before);
  return !stopped_;
}

void StreamReader::reject() {
  idle_.reset();
  lose(failure_of({status_, content_type_, body_start_}), retry_after_);
}

void StreamReader::lose(Failure failure, Duration retry_after) {
  const bool not_taken =
      mode_ == Mode::rejected && (status_ == 429 || status_ == 503) && !exchange_.was_obeyed();
  if (options_.once && exchange_.was_sent() && !not_taken) failure.permanent = true;
  std::string why = failure.message.empty() ? std::string() : where() + failure.message;
  if (mode_ == Mode::stream && (parser_.unfinished() || texts_.unfinished())) {
    ++unfinished_;
    why += ", in the middle of an event";
    if (failure.status == ExitStatus::done) host_.log().notice(Outage::sentence(url_, why));
  }
  if (failure.status == ExitStatus::done) why.clear();
  const RetryBounds bounds = life_.on_end(retry_after);
  mode_ = Mode::waiting;
  parser_.restart();
  texts_.restart(format_);
  if (!failure.permanent && attempts_.failed(why, bounds)) return;
  handler_.on_stream_end(*this, failure.status, why);
}

// The server that has no stream, if it is not that of the URL.
std::string StreamReader::where() const {
  if (mode_ == Mode::stream || exchange_.url() == url_) return {};
  return "redirected to " + escaped_text(without_passwords(exchange_.url())) + ": ";
}

bool StreamReader::on_event(const Event& event) {
  life_.on_event();
  ++events_;
  return handler_.on_stream_event(*this, event);
}

void StreamReader::on_retry(Duration time) {
  life_.on_retry(time);
}

void StreamReader::on_comment(std::string_view text) {
  if (options_.comments) handler_.on_stream_comment(*this, text);
}

// Most deadlines move on before they come: it is looked at only when one does.
void StreamReader::watch_idle() {
  if (options_.idle_timeout == kNever) return;
  idle_ =
      host_.loop().at(saturating_add(last_bytes_, options_.idle_timeout), [this] { on_idle(); });
}

void StreamReader::on_idle() {
  if (host_.loop().now() < saturating_add(last_bytes_, options_.idle_timeout)) return watch_idle();
  exchange_.cancel();
  patience_.reset();
  if (mode_ == Mode::rejected) return reject();
  lose({ExitStatus::unreachable,
        "nothing was received for " + format_duration(options_.idle_timeout) + " (--idle-timeout)",
        false});
}

}  // namespace netkit::sse
