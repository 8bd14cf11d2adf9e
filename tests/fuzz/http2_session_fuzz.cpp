// Http2Session in pieces tells of the same requests as at once, answers what it takes, and holds no
// more than it may. The first byte is the size of the pieces, the second scales the limits.
#include "fuzz/fuzz_check.hpp"
#include "http/http2_session.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace {

using netkit::Http2Session;
using netkit::HttpAnswer;
using netkit::HttpHeader;
using netkit::HttpLimits;
using netkit::HttpRequest;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class NoStream final : public netkit::HttpStream {};

// Answers GET by a stream, all else at once.
class Answerer final : private Http2Session::Handler {
 public:
  explicit Answerer(const HttpLimits& limits)
      : session_(Http2Session::make(
            *this, {.limits = limits, .low_water = 10, .high_water = 100, .max_streams = 8})) {}

  std::map<std::int32_t, std::string> run(std::string_view input, std::size_t piece) {
    session_->receive(kPreface);
    while (!input.empty() && !session_->over()) {
      const std::string copy(input.substr(0, piece));
      session_->receive(copy);
      input.remove_prefix(copy.size());
      FUZZ_CHECK(session_->incomplete() + session_->open() <= 64);
    }
    send();
    return log_;
  }

 private:
  void send() {
    is_sending_ = true;
    std::string out;
    do {
      out.clear();
      session_->pull(out, 65536);
    } while (!out.empty());
  }
  void on_request(std::int32_t id, const HttpRequest& request) override {
    std::string& log = log_[id];
    FUZZ_CHECK(log.empty());
    log = std::string(request.method) + " " + std::string(request.path) + "?" +
          std::string(request.query) + "\n";
    for (const HttpHeader& header : request.headers) {
      log += std::string(header.name) + "=" + std::string(header.value) + "\n";
    }
    log += request.body;
    HttpAnswer answer{.type = "text/plain", .body = "begin"};
    if (request.method == "GET") answer.stream = std::make_unique<NoStream>();
    session_->respond(id, answer, request.method == "HEAD", std::nullopt);
    if (!answer.stream) return;
    session_->write(id, text_, 0, text_->size());
    FUZZ_CHECK(session_->backed_up(id));
  }
  void on_bad_request(std::int32_t id, int status, std::string_view reason) override {
    log_[id] = std::to_string(status);
    session_->respond(id, HttpAnswer::text(status, reason), false, std::nullopt);
  }
  void on_drained(std::int32_t id) override { session_->finish(id); }
  // Before anything is sent, only the peer ends a stream: a request that comes together with its
  // reset is not told at all.
  void on_closed(std::int32_t id, bool /*by_peer*/) override {
    if (!is_sending_) log_.erase(id);
  }

  std::unique_ptr<Http2Session> session_;
  std::map<std::int32_t, std::string> log_;
  bool is_sending_ = false;
  const netkit::SharedPayload text_ = std::make_shared<const std::string>(200, 'x');
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::size_t scale = data[1];
  const HttpLimits limits{.max_line = scale,
                          .max_headers = scale / 8,
                          .max_head = 3 * scale,
                          .max_body = scale * scale};
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto at_once = Answerer(limits).run(input, input.size());
  FUZZ_CHECK(Answerer(limits).run(input, piece) == at_once);
  return 0;
}
