// The life of one stream, from the first request over all reconnects to its end: what an answer, an
// error or a close leads to. https://html.spec.whatwg.org/#sse-processing-model, with netkit's
// reconnect policy (--reconnect, --reconnect-max). Pure: time and chance come in, decisions go out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/net/reconnect.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/exit_status.hpp>
#include <netkit/util/random.hpp>

namespace netkit::sse {

// What the head of an answer, after all redirects, means.
enum class Answer {
  stream,   // 200 with text/event-stream: its body is the stream
  nothing,  // 204: the server wants no reconnect
  later,    // 429 and 5xx: try again
  refused,  // another status or media type; its first bytes are worth a look
};

// `content_type` is the header's value, "" without one; parameters are ignored, as the standard has
// it, and letters compare without case. Any thread.
Answer judge(int status, std::string_view content_type);

// An answer that is not a stream.
struct Rejection {
  int status = 0;
  std::string_view content_type;
  std::string_view body_start;  // its first bytes, kShownBody suffice
  Duration retry_after{};       // as the Retry-After field says; zero without one
};
inline constexpr std::size_t kShownBody = 200;

// A connection that did not come about, or broke.
struct Failure {
  ExitStatus status = ExitStatus::unreachable;
  std::string message;     // "connection refused"
  bool permanent = false;  // trying again is of no use: a bad certificate, too many redirects
};

struct Next {
  enum class Kind { reconnect, end };
  Kind kind = Kind::end;
  Duration delay{};                      // reconnect: how long to wait before the request
  ExitStatus status = ExitStatus::done;  // end
  // What happened and what follows, for stderr, without the URL; empty for an end with 0.
  std::string message;
  // The stream was well until now, or has ended: the message is news. Else it is one more of the
  // same, for -v.
  bool news = true;
};

// [one thread]
class StreamLife {
 public:
  struct Options {
    std::optional<std::uint64_t> reconnects;   // in a row; none: for ever
    Duration retry = std::chrono::seconds(1);  // --retry, until the server says another
    Duration reconnect_max = std::chrono::seconds(30);
  };
  StreamLife(const Options& options, const RandomEngine& random);

  // The answer was a stream. True when it had been away before: worth a line.
  bool on_open(TimePoint now);
  void on_event() { delivered_ = true; }
  // A `retry` field; it is clamped to --reconnect-max, and from below so that no server can make a
  // busy loop.
  void on_retry(Duration time);

  // The server closed a stream in good order, mid-event or not.
  Next on_close(TimePoint now);
  // A connection failed or broke.
  Next on_failure(const Failure& failure, TimePoint now);
  // The answer was not a stream. Retry-After is kept to even where it is over --reconnect-max, up
  // to a day.
  Next on_rejection(const Rejection& rejection, TimePoint now);

  Duration retry() const { return retry_; }

 private:
  Next again(const Failure& failure, Duration retry_after, TimePoint now);
  Duration delay(Duration backed_off, bool was_open) const;
  Duration clamped(Duration time) const;

  Options options_;
  Reconnect reconnect_;
  RandomEngine random_;
  Duration shortest_;
  Duration retry_;
  bool retry_by_server_ = false;
  bool is_open_ = false;
  bool delivered_ = false;
  bool away_ = false;
};

}  // namespace netkit::sse
