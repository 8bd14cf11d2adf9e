// libcurl in netkit's terms: its transfers on the event loop, what they say on the log, their
// errors as failures of a stream.
#pragma once

#include <cstddef>
#include <sse/stream_life.hpp>
#include <string_view>
#include <unordered_map>

#include <curl/curl.h>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/log.hpp>

namespace netkit::sse {

// [loop] libcurl's multi interface: curl says which descriptors and which timer it wants, the loop
// says when they are due. Owns no transfer: whoever adds one removes it, before this is destroyed,
// unless it has ended.
class CurlLoop {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // The transfer has ended and is removed; it may be added again, or destroyed. Never called from
    // within one of curl's own callbacks.
    virtual void on_transfer_end(CURLcode code) = 0;
  };

  // At -vv the log is told the lines of requests' and answers' heads, without the values of headers
  // that carry credentials, and at -vvv the bytes of bodies. Throws Error when libcurl cannot be
  // initialised.
  CurlLoop(EventLoop& loop, const Log& log);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  void add(CURL* easy, Handler& handler);
  void remove(CURL* easy);
  // The alert of TLS (RFC 8446, section 6) that came last on a connection that `easy` has made
  // since it was added; 0: none, or none but that the server closes.
  int tls_alert(CURL* easy) const { return tls_alerts_.at(easy); }
  // Some of a body has come, of whichever transfer.
  void note_body() { records_ = 0; }
  // For on_transfer_end(): the connection was ended because so much came that was none.
  bool is_flooded() const;

 private:
  static CURLcode watch_tls(CURL* easy, void* ssl_context, void* self);
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket_data);
  static int on_timer(CURLM* multi, long milliseconds, void* self);
  void act(curl_socket_t fd, int events);
  void report_ended();

  EventLoop& loop_;
  const Log& log_;
  CURLM* multi_;
  Timer timer_;
  std::unordered_map<curl_socket_t, Watch> watches_;
  // Connections outlive the transfer that made them, and refer to these.
  std::unordered_map<CURL*, int> tls_alerts_;
  std::size_t records_ = 0;  // of TLS, that came since curl was last called or had some of a body
};

// How a transfer failed.
struct CurlError {
  CURLcode code = CURLE_OK;
  std::string_view detail{};  // CURLOPT_ERRORBUFFER's text
  int os_error = 0;           // CURLINFO_OS_ERRNO
  int tls_alert = 0;          // CurlLoop::tls_alert()
  long connect_answer = 0;    // of an HTTP proxy: CURLINFO_HTTP_CONNECTCODE
  long socks_answer = 0;      // CURLINFO_PROXY_ERROR
  bool has_looked = true;     // for the address of the server or the proxy
  bool was_sent = false;      // some of the request: CURLINFO_REQUEST_SIZE
  bool is_flooded = false;    // CurlLoop::is_flooded()
  bool is_first = true;       // no request of this stream had succeeded before
  Duration connect_timeout{};
};

// What it means to the stream. Any thread.
Failure failure_of(const CurlError& error);

}  // namespace netkit::sse
