#include <algorithm>
#include <chrono>
#include <sse/stream_reader.hpp>
#include <utility>

#include <netkit/util/duration.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

// How long the first bytes of an answer that is no stream are waited for.
constexpr Duration kBodyPatience = std::chrono::seconds(2);

}  // namespace

StreamReader::StreamReader(Host& host, CurlLoop& curl, const RequestOptions& request,
                           const StreamOptions& options, std::string url,
                           std::string_view last_event_id, Owner& owner)
    : host_(host),
      options_(options),
      url_(std::move(url)),
      owner_(owner),
      life_(options.life, RandomEngine()),
      parser_(options.max_event, last_event_id),
      exchange_(curl, request, *this) {
  exchange_.set_log(host.log());
}

void StreamReader::start() {
  mode_ = Mode::waiting;
  fault_.reset();
  last_bytes_ = host_.loop().now();
  watch_idle();
  exchange_.start(url_, parser_.last_event_id());
}

void StreamReader::stop() {
  stopped_ = true;
  timer_.reset();
  idle_.reset();
  exchange_.cancel();
}

StreamReader::Counters StreamReader::counters() const {
  Counters counters = counters_;
  counters.bytes = parser_.bytes();
  return counters;
}

void StreamReader::on_head(const HttpExchange::Head& head) {
  const TimePoint now = host_.loop().now();
  last_bytes_ = now;
  if (judge(head.status, head.content_type) == Answer::stream) {
    mode_ = Mode::stream;
    peer_ = head.peer;
    ++counters_.connections;
    log(life_.on_open(now), "connected");
    return;
  }
  mode_ = Mode::rejected;
  status_ = head.status;
  content_type_ = head.content_type;
  retry_after_ = head.retry_after;
  body_start_.clear();
  timer_ = host_.loop().after(kBodyPatience, [this] {
    exchange_.cancel();
    reject();
  });
}

bool StreamReader::on_body(std::string_view bytes) {
  last_bytes_ = host_.loop().now();
  if (mode_ == Mode::stream) return feed(bytes);
  const std::size_t room = kShownBody - std::min(body_start_.size(), kShownBody);
  body_start_.append(bytes, 0, room);
  return body_start_.size() < kShownBody;
}

bool StreamReader::feed(std::string_view bytes) {
  if (!owner_.on_stream_bytes()) {
    stopped_ = true;
    return false;
  }
  switch (parser_.feed(bytes, *this)) {
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
  timer_.reset();
  idle_.reset();
  if (stopped_) return;
  const TimePoint now = host_.loop().now();
  if (fault_) return follow(life_.on_failure(*fault_, now));
  if (mode_ == Mode::rejected) return reject();
  if (failure) return follow(life_.on_failure(*failure, now));
  follow(life_.on_close(now));
}

void StreamReader::reject() {
  idle_.reset();
  follow(
      life_.on_rejection({status_, content_type_, body_start_, retry_after_}, host_.loop().now()));
}

void StreamReader::follow(const Next& next) {
  const std::string message = next.message.empty() ? "" : where() + next.message;
  mode_ = Mode::waiting;
  parser_.restart();
  if (next.kind == Next::Kind::end) return owner_.on_stream_end(*this, next.status, message);
  log(next.news, message);
  timer_ = host_.loop().after(next.delay, [this] {
    ++counters_.reconnects;
    start();
  });
}

// Who has no stream to give, where it is not the URL itself.
std::string StreamReader::where() const {
  if (mode_ == Mode::stream || exchange_.url() == url_) return {};
  return "redirected to " + escaped_text(without_passwords(exchange_.url())) + ": ";
}

void StreamReader::log(bool news, const std::string& text) {
  host_.log().write(news ? LogLevel::notice : LogLevel::info, url_ + ": " + text);
}

bool StreamReader::on_event(const Event& event) {
  life_.on_event();
  return owner_.on_stream_event(*this, event);
}

void StreamReader::on_retry(Duration time) {
  life_.on_retry(time);
}

void StreamReader::on_comment(std::string_view text) {
  if (options_.comments) owner_.on_stream_comment(*this, text);
}

// Most deadlines move on before they come: it is looked at only when one does.
void StreamReader::watch_idle() {
  if (options_.idle_timeout == kNever) return;
  idle_ =
      host_.loop().at(saturating_add(last_bytes_, options_.idle_timeout), [this] { on_idle(); });
}

void StreamReader::on_idle() {
  const TimePoint now = host_.loop().now();
  if (now < saturating_add(last_bytes_, options_.idle_timeout)) return watch_idle();
  exchange_.cancel();
  timer_.reset();
  if (mode_ == Mode::rejected) return reject();
  const std::string message =
      "nothing came for " + format_duration(options_.idle_timeout) + " (--idle-timeout)";
  follow(life_.on_failure({ExitStatus::unreachable, message, false}, now));
}

}  // namespace netkit::sse
