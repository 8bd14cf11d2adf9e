// One request of `sse read` and its answer, over all redirects, by libcurl.
#pragma once

#include <memory>
#include <optional>
#include <sse/curl_loop.hpp>
#include <sse/request_options.hpp>
#include <sse/stream_life.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/endpoint.hpp>

namespace netkit::sse {

// [loop] One request at a time; the next one reuses what can be. Credentials and given headers go
// to the origin of the URL only, not to where it redirects; a method and a body follow as RFC 9110,
// section 15.4 has it. Only http and https are followed to, 20 times.
class HttpExchange final : private CurlLoop::Handler {
 public:
  struct Head {
    int status;
    std::string_view content_type;  // empty: none
    std::string_view lines;         // of the headers, each with its end
    Duration retry_after;
    std::optional<Endpoint> peer;  // who answers, which may be a proxy; none at a unix socket
  };
  class Handler {
   public:
    virtual ~Handler() = default;
    // The head of the answer; not of redirects. Must not destroy the exchange, as on_body.
    virtual void on_head(const Head& head) = 0;
    // A piece of the body, decoded. False: no more is wanted, the exchange ends.
    virtual bool on_body(std::string_view bytes) = 0;
    // It is over: none where the answer came to its end or on_body wanted no more.
    virtual void on_exchange_end(const std::optional<Failure>& failure) = 0;
  };

  // `options` and `handler` must outlive it. Throws Error.
  HttpExchange(CurlLoop& curl, const RequestOptions& options, Handler& handler);
  ~HttpExchange() override;
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  void start(const std::string& url, std::string_view last_event_id);
  // Ends it without a callback.
  void cancel();
  // Where the request went: the URL, or what it was redirected to.
  const std::string& url() const { return url_; }
  // Whether some of the request has gone out, so that it may have been obeyed.
  bool was_sent() const;
  // Whether it was: a redirect says where to GET what came of it.
  bool was_obeyed() const { return as_get_; }

 private:
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);
  void on_transfer_end(CURLcode code) override;
  void request();
  void set_connection();
  void set_method();
  void set_credentials();
  void set_headers();
  bool on_header_line(std::string_view line);
  bool on_head_end();
  void redirect();
  void end(const std::optional<Failure>& failure);

  using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

  CurlLoop& curl_;
  const RequestOptions& options_;
  Handler& handler_;
  CURL* easy_;
  std::string url_;
  std::string origin_;  // of the first URL
  std::string last_event_id_;
  std::optional<std::string> location_;  // of a redirect
  std::vector<char> error_;
  List headers_{nullptr, &curl_slist_free_all};
  std::string head_;  // the lines of the answer's head so far
  unsigned redirects_ = 0;
  bool active_ = false;
  bool same_origin_ = true;
  bool as_get_ = false;      // a redirect has turned the method into GET
  bool stopped_ = false;     // by the handler
  bool too_large_ = false;   // the head
  bool has_looked_ = false;  // for an address
  bool answered_ = false;    // once, by any request
};

}  // namespace netkit::sse
