#include <algorithm>
#include <chrono>
#include <sse/stream_life.hpp>
#include <utility>

#include <netkit/http/http_text.hpp>
#include <netkit/util/duration.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

using std::chrono::milliseconds;

constexpr Duration kFirstBackoff = milliseconds(100);
constexpr Duration kLongestRetryAfter = std::chrono::hours(24);
constexpr Duration kHealthy = std::chrono::minutes(1);

// What is before the first comma that is not in quotes.
std::string_view first_of_list(std::string_view list) {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (quoted && list[i] == '\\') ++i;
    if (!quoted && list[i] == ',') return list.substr(0, i);
  }
  return list;
}

bool is_media_type(std::string_view essence) {
  const std::size_t slash = essence.find('/');
  return slash != std::string_view::npos && http::is_token(essence.substr(0, slash)) &&
         http::is_token(essence.substr(slash + 1)) && essence != "*/*";
}

// Of several, which proxies join to a list, the last counts that is a media type
// (https://fetch.spec.whatwg.org/#concept-header-extract-mime-type).
bool is_event_stream(std::string_view content_type) {
  bool found = false;
  while (!content_type.empty()) {
    const std::string_view one = first_of_list(content_type);
    const std::string_view essence = trim_white_space(one.substr(0, one.find(';')));
    if (is_media_type(essence)) found = http::equal_without_case(essence, "text/event-stream");
    content_type.remove_prefix(std::min(one.size() + 1, content_type.size()));
  }
  return found;
}

// "the server answered 404 with text/html: <html>..."
std::string text_of(const Rejection& rejection) {
  std::string text = "the server answered " + std::to_string(rejection.status);
  if (rejection.content_type.empty()) {
    text += " without a media type";
  } else {
    text += " with " + escaped_text(rejection.content_type.substr(0, kShownBody));
  }
  if (rejection.status == 200) text += " instead of text/event-stream";
  const std::string_view body = trim_white_space(rejection.body_start.substr(0, kShownBody));
  if (!body.empty()) text += ": " + escaped_text(body);
  return text;
}

// Whole milliseconds are enough for people.
std::string wait_text(Duration delay) {
  return format_duration(std::chrono::ceil<milliseconds>(delay));
}

}  // namespace

Answer judge(int status, std::string_view content_type) {
  if (status == 204) return Answer::nothing;
  if (status == 429 || (status >= 500 && status <= 599)) return Answer::later;
  if (status == 200 && is_event_stream(content_type)) return Answer::stream;
  return Answer::refused;
}

StreamLife::StreamLife(const Options& options, const RandomEngine& random)
    : options_(options),
      backoff_({.limit = Reconnect::kForever,
                .initial = kFirstBackoff,
                .maximum = options.reconnect_max,
                .healthy = kHealthy}),
      random_(random),
      shortest_(std::max<Duration>(std::min({kFirstBackoff, options.retry, options.reconnect_max}),
                                   milliseconds(1))),
      retry_(clamped(options.retry)) {}

bool StreamLife::on_open(TimePoint now) {
  opened_at_ = now;
  delivered_ = false;
  backoff_.connected(now);
  return std::exchange(away_, false);
}

void StreamLife::on_retry(Duration time) {
  retry_ = clamped(time);
  retry_by_server_ = true;
}

Next StreamLife::on_close(TimePoint now) {
  return again({ExitStatus::unreachable, "the server closed the stream"}, {}, now);
}

Next StreamLife::on_failure(const Failure& failure, TimePoint now) {
  if (failure.permanent) return {Next::Kind::end, {}, failure.status, failure.message};
  return again(failure, {}, now);
}

Next StreamLife::on_rejection(const Rejection& rejection, TimePoint now) {
  switch (judge(rejection.status, rejection.content_type)) {
    case Answer::nothing:
      return {};
    case Answer::later:
      return again({ExitStatus::unreachable, text_of(rejection)}, rejection.retry_after, now);
    default:
      return {Next::Kind::end, {}, ExitStatus::protocol, text_of(rejection)};
  }
}

Next StreamLife::again(const Failure& failure, Duration retry_after, TimePoint now) {
  const bool was_open = opened_at_.has_value();
  if (was_open && now - *opened_at_ >= kHealthy) reconnects_ = 0;
  Duration wait = delay(now, was_open);
  if (retry_after > Duration::zero()) {
    wait = std::clamp(retry_after, shortest_, kLongestRetryAfter);
  }
  opened_at_.reset();
  if (options_.reconnects && reconnects_ >= *options_.reconnects) {
    std::string message = failure.message;
    if (reconnects_ > 0) {
      message += ", after " + std::to_string(reconnects_) +
                 (reconnects_ == 1 ? " reconnect" : " reconnects");
    }
    return {Next::Kind::end, {}, failure.status, message};
  }
  ++reconnects_;
  const bool news = !std::exchange(away_, true);
  return {Next::Kind::reconnect, wait, ExitStatus::done,
          failure.message + ", connecting again in " + wait_text(wait), news};
}

// A stream that gave events comes back after the reconnection time. One that gave none, and an
// attempt that failed, back off; never less than the reconnection time that the server asked for.
Duration StreamLife::delay(TimePoint now, bool was_open) {
  const Duration backed_off = backoff_.next(now, random_.unit()).value_or(Duration::zero());
  if (was_open && delivered_) return retry_;
  if (was_open || retry_by_server_) return clamped(std::max(retry_, backed_off));
  return clamped(backed_off);
}

Duration StreamLife::clamped(Duration time) const {
  return std::max(std::min(time, options_.reconnect_max), shortest_);
}

}  // namespace netkit::sse
