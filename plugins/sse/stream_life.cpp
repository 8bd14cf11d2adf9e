#include <algorithm>
#include <array>
#include <chrono>
#include <sse/stream_life.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http_text.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

using std::chrono::milliseconds;

constexpr Duration kLeastWait = milliseconds(100);
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
std::string_view media_type(std::string_view content_type) {
  std::string_view type;
  while (!content_type.empty()) {
    const std::string_view one = first_of_list(content_type);
    const std::string_view essence = trim_white_space(one.substr(0, one.find(';')));
    if (is_media_type(essence)) type = essence;
    content_type.remove_prefix(std::min(one.size() + 1, content_type.size()));
  }
  return type;
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

}  // namespace

std::optional<StreamFormat> stream_format(std::string_view content_type) {
  constexpr std::array<std::pair<std::string_view, StreamFormat>, 6> kTypes{
      {{"text/event-stream", StreamFormat::events},
       {"application/x-ndjson", StreamFormat::json_lines},
       {"application/ndjson", StreamFormat::json_lines},
       {"application/jsonl", StreamFormat::json_lines},
       {"application/x-jsonlines", StreamFormat::json_lines},
       {"application/json-seq", StreamFormat::json_sequence}}};
  const std::string_view type = media_type(content_type);
  for (const auto& [name, format] : kTypes) {
    if (http::equal_without_case(type, name)) return format;
  }
  return std::nullopt;
}

StreamFormat any_format(std::string_view content_type) {
  const auto known = stream_format(content_type);
  if (known) return *known;
  const std::string_view type = media_type(content_type);
  const bool is_json =
      http::equal_without_case(type, "application/json") ||
      http::equal_without_case(type.substr(type.size() - std::min<std::size_t>(type.size(), 5)),
                               "+json");
  return is_json ? StreamFormat::json_lines : StreamFormat::events;
}

Answer judge(int status, std::string_view content_type, bool any_type) {
  if (status == 204) return Answer::nothing;
  if (status == 429 || (status >= 500 && status <= 599)) return Answer::later;
  if (status == 200 && (any_type || stream_format(content_type))) return Answer::stream;
  return Answer::refused;
}

Failure failure_of(const Rejection& rejection) {
  switch (judge(rejection.status, rejection.content_type)) {
    case Answer::nothing:
      return {ExitStatus::done, {}, true};
    case Answer::later:
      return {ExitStatus::unreachable, text_of(rejection), false};
    default:
      break;
  }
  const std::string text = text_of(rejection);
  switch (rejection.status) {
    case 401:
      return {ExitStatus::permission,
              text + "; log in with --user and --password-file, or with --bearer-file", true};
    case 403:
      return {ExitStatus::permission, text + "; this login is not accepted (--user, --bearer-file)",
              true};
    case 407:
      return {
          ExitStatus::permission,
          text + "; the proxy requires a login (NETKIT_SSE_PROXY=http://NAME:PASSWORD@HOST:PORT)",
          true};
    default:
      return {ExitStatus::protocol, text, true};
  }
}

StreamLife::StreamLife(Duration retry, Duration reconnect_max)
    : longest_(reconnect_max),
      shortest_(std::max<Duration>(std::min({kLeastWait, retry, reconnect_max}), milliseconds(1))),
      retry_(clamped(retry)) {}

void StreamLife::on_open() {
  is_open_ = true;
  delivered_ = false;
}

void StreamLife::on_retry(Duration time) {
  retry_ = clamped(time);
  retry_by_server_ = true;
}

RetryBounds StreamLife::on_end(Duration retry_after) {
  const bool was_open = std::exchange(is_open_, false);
  if (retry_after > Duration::zero()) {
    return RetryBounds::exactly(std::clamp(retry_after, shortest_, kLongestRetryAfter));
  }
  if (was_open && delivered_) return RetryBounds::exactly(retry_);
  return {.least = was_open || retry_by_server_ ? retry_ : shortest_};
}

Duration StreamLife::clamped(Duration time) const {
  return std::max(std::min(time, longest_), shortest_);
}

}  // namespace netkit::sse
