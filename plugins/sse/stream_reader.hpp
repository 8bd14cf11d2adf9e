// One URL of `sse read`: its requests, its stream, its reconnects.
#pragma once

#include <cstdint>
#include <optional>
#include <sse/event_parser.hpp>
#include <sse/http_exchange.hpp>
#include <sse/stream_life.hpp>
#include <string>
#include <string_view>

#include <netkit/plugin/host.hpp>

namespace netkit::sse {

struct StreamOptions {
  StreamLife::Options life;
  std::size_t max_event = std::size_t{16} << 20U;
  Duration idle_timeout = kNever;
  bool comments = false;
};

class StreamReader final : private EventSink, private HttpExchange::Handler {
 public:
  // Who gets what comes. Must not destroy the reader.
  class Owner {
   public:
    virtual ~Owner() = default;
    // False: no more events are wanted, from no stream.
    virtual bool on_stream_event(const StreamReader& stream, const Event& event) = 0;
    virtual void on_stream_comment(const StreamReader& stream, std::string_view text) = 0;
    // A piece of a stream has come: what is reported next is of this time. False: it is not
    // wanted, and counts as not come.
    virtual bool on_stream_bytes() = 0;
    // It is over for good. `message` is empty with ExitStatus::done.
    virtual void on_stream_end(const StreamReader& stream, ExitStatus status,
                               const std::string& message) = 0;
  };
  struct Counters {
    std::uint64_t bytes = 0;
    std::uint64_t connections = 0;  // streams that were opened
    std::uint64_t reconnects = 0;
  };

  // Everything must outlive it. Throws Error.
  StreamReader(Host& host, CurlLoop& curl, const RequestOptions& request,
               const StreamOptions& options, std::string url, std::string_view last_event_id,
               Owner& owner);

  void start();
  void stop();

  const std::string& url() const { return url_; }
  const std::string& last_event_id() const { return parser_.last_event_id(); }
  Counters counters() const;
  // Who sent what was reported last; null: at a unix socket.
  const Endpoint* peer() const { return peer_ ? &*peer_ : nullptr; }
  bool is_open() const { return mode_ == Mode::stream; }

 private:
  enum class Mode { waiting, stream, rejected };

  void on_head(const HttpExchange::Head& head) override;
  bool on_body(std::string_view bytes) override;
  void on_exchange_end(const std::optional<Failure>& failure) override;
  bool on_event(const Event& event) override;
  void on_retry(Duration time) override;
  void on_comment(std::string_view text) override;

  bool feed(std::string_view bytes);
  void reject();
  void follow(const Next& next);
  std::string where() const;
  void log(bool news, const std::string& text);
  void watch_idle();
  void on_idle();

  Host& host_;
  const StreamOptions& options_;
  std::string url_;
  Owner& owner_;
  StreamLife life_;
  EventParser parser_;
  HttpExchange exchange_;
  Timer timer_;  // of the next request, or of the rest of an answer that is no stream
  Timer idle_;
  TimePoint last_bytes_;
  std::optional<Endpoint> peer_;
  Mode mode_ = Mode::waiting;
  bool stopped_ = false;
  std::optional<Failure> fault_;  // found in the stream
  int status_ = 0;
  Duration retry_after_{};
  std::string content_type_;
  std::string body_start_;
  Counters counters_;
};

}  // namespace netkit::sse
