// One URL of `sse read`: its requests, its stream, its reconnects.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sse/event_stream.hpp>
#include <sse/http_exchange.hpp>
#include <sse/json_text_parser.hpp>
#include <sse/stream_life.hpp>
#include <sse/stream_timing.hpp>
#include <string>
#include <string_view>

#include <netkit/net/attempts.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>

namespace netkit::sse {

struct StreamOptions {
  Reconnect::Options reconnect;
  Duration retry = std::chrono::seconds(1);  // until the server says another time
  std::size_t max_event = std::size_t{16} << 20U;
  Duration idle_timeout = kNever;
  bool comments = false;
  bool any_type = false;  // whatever the media type is
  // The request must not be made twice: the end of the answer is the end, and there is another only
  // where nothing of the first has gone out, or the server says that it did not take it.
  bool once = false;
};

class StreamReader final : private EventParser::Handler, private HttpExchange::Handler {
 public:
  // The receiver of events. Must not destroy the reader.
  class Handler {
   public:
    virtual ~Handler() = default;
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

  // Everything must outlive it. Throws Error.
  StreamReader(Host& host, CurlLoop& curl, const RequestOptions& request,
               const StreamOptions& options, Recorder& recorder, std::string url,
               std::string_view last_event_id, Handler& handler);

  void start() { attempts_.start(); }
  void stop();

  const std::string& url() const { return url_; }
  const std::string& last_event_id() const { return parser_.last_event_id(); }
  // The peer that sent what was reported last; null for a unix socket.
  const Endpoint* peer() const { return peer_ ? &*peer_ : nullptr; }
  bool is_open() const { return mode_ == Mode::stream; }
  // Since the start.
  std::uint64_t bytes() const { return parser_.bytes() + texts_.bytes(); }
  const StreamTiming& timing() const { return timing_; }
  std::uint64_t connections() const { return connections_; }  // streams that were opened
  std::uint64_t unfinished() const { return unfinished_; }    // events that were cut off
  std::uint64_t reconnects() const { return std::max<std::uint64_t>(requests_, 1) - 1; }

 private:
  enum class Mode { waiting, stream, rejected };

  void on_head(const HttpExchange::Head& head) override;
  bool on_body(std::string_view bytes) override;
  void on_exchange_end(const std::optional<Failure>& failure) override;
  bool on_event(const Event& event) override;
  void on_retry(Duration time) override;
  void on_comment(std::string_view text) override;

  void request();
  bool feed(std::string_view bytes);
  bool finish_texts();
  void reject();
  void lose(Failure failure, Duration retry_after = {});
  std::string where() const;
  void record_head(const HttpExchange::Head& head);
  void record(std::string_view bytes);
  void watch_idle();
  void on_idle();

  Host& host_;
  const RequestOptions& request_options_;
  const StreamOptions& options_;
  Recorder& recorder_;
  std::uint64_t recorded_ = 0;  // the number of the connection there
  std::string url_;
  Handler& handler_;
  Attempts attempts_;
  StreamLife life_;
  StreamFormat format_ = StreamFormat::events;
  EventParser parser_;
  JsonTextParser texts_;
  StreamTiming timing_;
  HttpExchange exchange_;
  Timer patience_;  // for the rest of an answer that is no stream
  Timer too_long_;  // reports an id that no request can carry
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
  std::uint64_t requests_ = 0;
  std::uint64_t events_ = 0;  // of every type
  std::uint64_t connections_ = 0;
  std::uint64_t unfinished_ = 0;
};

}  // namespace netkit::sse
