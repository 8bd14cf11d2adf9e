// What responses, and how they end, mean to a stream, and how long it waits before the next
// request: https://html.spec.whatwg.org/#sse-processing-model, with netkit's reconnect policy.
// Pure.
#pragma once

#include <chrono>
#include <optional>
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>

#include <netkit/net/reconnect.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>

namespace netkit::sse {

// How the body is to be read, by the value of Content-Type; none: it is no stream. Parameters are
// ignored, as the standard has it, and letters compare without case. Any thread.
std::optional<StreamFormat> stream_format(std::string_view content_type);

// The same where any body is to be read: by lines what calls itself JSON, as a watch of Kubernetes
// does; as events what calls itself anything else, or nothing. Any thread.
StreamFormat any_format(std::string_view content_type);

// What the head of an answer, after all redirects, means.
enum class Answer {
  stream,   // 200 with the type of a stream, or with --any-type any: its body is the stream
  nothing,  // 204: the server wants no reconnect
  later,    // 429 and 5xx: try again
  refused,  // another status or media type; its first bytes are worth a look
};

// `content_type` is the header's value, "" without one. Any thread.
Answer judge(int status, std::string_view content_type, bool any_type = false);

// An answer that is not a stream.
struct Rejection {
  int status = 0;
  std::string_view content_type;
  std::string_view body_start;  // its first bytes, kShownBody suffice
};
inline constexpr std::size_t kShownBody = 200;

// Why there is no stream, or no longer one.
struct Failure {
  ExitStatus status = ExitStatus::unreachable;
  std::string message;     // "connection refused", for people, without the URL
  bool permanent = false;  // trying again is of no use: a bad certificate, too many redirects
};
// 204 is ExitStatus::done without a message; where a login is wanted, it says by which option. Any
// thread.
Failure failure_of(const Rejection& rejection);

// How long one stream waits before the next request. [one thread]
class StreamLife {
 public:
  // `retry` is --retry, which holds until the server says another time.
  StreamLife(Duration retry, Duration reconnect_max);

  void on_open();  // the answer is a stream
  void on_event() { delivered_ = true; }
  // A `retry` field; it is clamped to --reconnect-max, and from below so that no server can make a
  // busy loop.
  void on_retry(Duration time);
  // The stream is over, or there was none. A stream that gave events comes back after the
  // reconnection time. One that gave none, and an attempt that failed, back off; never less than
  // the reconnection time that the server asked for. `retry_after` is that of the answer, zero
  // without one: it is kept to even where it is over --reconnect-max, up to a day.
  RetryBounds on_end(Duration retry_after = {});

  Duration retry() const { return retry_; }

 private:
  Duration clamped(Duration time) const;

  Duration longest_;
  Duration shortest_;
  Duration retry_;
  bool retry_by_server_ = false;
  bool is_open_ = false;
  bool delivered_ = false;
};

}  // namespace netkit::sse
