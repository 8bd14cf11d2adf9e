// libcurl's multi interface on the event loop: curl says which descriptors and which timer it
// wants, the loop says when they are due.
#pragma once

#include <unordered_map>

#include <curl/curl.h>

#include <netkit/loop/event_loop.hpp>

namespace netkit::sse {

// [loop] Owns no transfer: who adds one removes it, before this is destroyed, unless it has ended.
class CurlLoop {
 public:
  class Transfer {
   public:
    virtual ~Transfer() = default;
    // The transfer has ended and is removed; it may be added again, or destroyed. Never called from
    // within one of curl's own callbacks.
    virtual void on_transfer_end(CURLcode code) = 0;
  };

  // Throws Error when libcurl cannot be initialised.
  explicit CurlLoop(EventLoop& loop);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  void add(CURL* easy, Transfer& transfer);
  void remove(CURL* easy);

 private:
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket_data);
  static int on_timer(CURLM* multi, long milliseconds, void* self);
  void act(curl_socket_t fd, int events);
  void report_ended();

  EventLoop& loop_;
  CURLM* multi_;
  Timer timer_;
  std::unordered_map<curl_socket_t, Watch> watches_;
};

}  // namespace netkit::sse
