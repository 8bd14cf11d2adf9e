#include <chrono>
#include <sse/curl_loop.hpp>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

Interest interest_of(int what) {
  switch (what) {
    case CURL_POLL_IN:
      return Interest::read;
    case CURL_POLL_OUT:
      return Interest::write;
    case CURL_POLL_INOUT:
      return Interest::both;
    default:
      return Interest::none;
  }
}

}  // namespace

CurlLoop::CurlLoop(EventLoop& loop) : loop_(loop), multi_(nullptr) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) multi_ = curl_multi_init();
  if (multi_ == nullptr) throw Error(ExitStatus::fault, "libcurl cannot be initialised");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlLoop::~CurlLoop() {
  curl_multi_cleanup(multi_);
}

void CurlLoop::add(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_multi_add_handle(multi_, easy);
}

void CurlLoop::remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
}

int CurlLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    loop.watches_.erase(fd);
    return 0;
  }
  Watch& watch = loop.watches_[fd];
  if (watch) {
    watch.set(interest_of(what));
    return 0;
  }
  watch = loop.loop_.watch(fd, interest_of(what), [&loop, fd](Ready ready) {
    loop.act(fd, (ready.readable ? CURL_CSELECT_IN : 0) | (ready.writable ? CURL_CSELECT_OUT : 0) |
                     (ready.error ? CURL_CSELECT_ERR : 0));
  });
  return 0;
}

int CurlLoop::on_timer(CURLM*, long milliseconds, void* self) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (milliseconds < 0) {
    loop.timer_.reset();
  } else {
    loop.timer_ = loop.loop_.after(std::chrono::milliseconds(milliseconds),
                                   [&loop] { loop.act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

void CurlLoop::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  report_ended();
}

void CurlLoop::report_ended() {
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_, easy);
    reinterpret_cast<Transfer*>(transfer)->on_transfer_end(code);
  }
}

}  // namespace netkit::sse
