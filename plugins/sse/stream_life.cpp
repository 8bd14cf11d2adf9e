#include <algorithm>
#include <chrono>
#include <sse/stream_life.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http_text.hpp>
#include <netkit/util/duration.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

using std::chrono::milliseconds;

constexpr Duration kFirstBackoff = milliseconds(100);
constexpr Duration kLongestRetryAfter = std::chrono::hours(24);

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
  std::string text = fmt::format("the server answered {}", rejection.status);
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
      reconnect_({.limit = options.reconnects.value_or(Reconnect::kForever),
                  .initial = kFirstBackoff,
                  .maximum = options.reconnect_max}),
      random_(random),
      shortest_(std::max<Duration>(std::min({kFirstBackoff, options.retry, options.reconnect_max}),
                                   milliseconds(1))),
      retry_(clamped(options.retry)) {}

bool StreamLife::on_open(TimePoint now) {
  is_open_ = true;
  delivered_ = false;
  reconnect_.connected(now);
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
  const bool was_open = std::exchange(is_open_, false);
  const std::optional<Duration> backed_off = reconnect_.next(now, random_.unit());
  if (!backed_off) {
    const std::uint64_t times = reconnect_.attempts();
    if (times == 0) return {Next::Kind::end, {}, failure.status, failure.message};
    return {Next::Kind::end,
            {},
            failure.status,
            fmt::format("{}, after {} reconnect{}", failure.message, times, times == 1 ? "" : "s")};
  }
  const Duration wait = retry_after > Duration::zero()
                            ? std::clamp(retry_after, shortest_, kLongestRetryAfter)
                            : delay(*backed_off, was_open);
  const bool news = !std::exchange(away_, true);
  return {Next::Kind::reconnect, wait, ExitStatus::done,
          fmt::format("{}, connecting again in {}", failure.message, wait_text(wait)), news};
}

// A stream that gave events comes back after the reconnection time. One that gave none, and an
// attempt that failed, back off; never less than the reconnection time that the server asked for.
Duration StreamLife::delay(Duration backed_off, bool was_open) const {
  if (was_open && delivered_) return retry_;
  if (was_open || retry_by_server_) return clamped(std::max(retry_, backed_off));
  return clamped(backed_off);
}

Duration StreamLife::clamped(Duration time) const {
  return std::max(std::min(time, options_.reconnect_max), shortest_);
}

}  // namespace netkit::sse
