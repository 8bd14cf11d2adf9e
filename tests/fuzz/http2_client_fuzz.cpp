// Http2Client in pieces tells what it tells at once, of a server that says anything once it has got
// the requests. The first byte is the size of the pieces, the second how many requests there are.
#include "fuzz/fuzz_check.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <netkit/http/http2_client.hpp>

namespace {

using netkit::Http2Client;

// An empty SETTINGS: any number of streams.
constexpr std::string_view kSettings("\0\0\0\4\0\0\0\0\0", 9);

class Reader final : private Http2Client::Handler {
 public:
  explicit Reader(std::size_t requests) : requests_(requests), client_(Http2Client::make(*this)) {}

  // What it has to say meanwhile waits: when it is said would make a difference.
  std::string run(std::string_view input, std::size_t piece) {
    client_->receive(kSettings);
    FUZZ_CHECK(asked_.size() == requests_);
    send();
    for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
      client_->receive(std::string(input.substr(0, piece)));
    }
    send();
    // Which streams are told of before that, is up to where a piece ends.
    if (client_->over()) return "over";
    std::string all;
    for (const auto& [id, text] : log_) all += std::to_string(id) + text + "\n";
    return all;
  }

 private:
  void send() {
    std::string out;
    client_->pull(out);
  }
  void on_ready(std::uint32_t max_streams) override {
    FUZZ_CHECK(asked_.empty() && max_streams >= requests_);
    for (std::size_t i = 0; i < requests_; ++i) {
      asked_.insert(client_->get("https", "a.example", "/", {{"accept", "text/event-stream"}}));
    }
  }
  void on_head(std::int32_t id, int status, std::string_view content_type) override {
    FUZZ_CHECK(asked_.contains(id) && status / 100 != 1 && !log_.contains(id));
    log_[id] = std::to_string(status) + std::string(content_type) + ":";
    if (status >= 500) client_->cancel(id);
  }
  void on_body(std::int32_t id, std::string_view bytes) override {
    FUZZ_CHECK(log_.contains(id));
    log_[id] += bytes;
  }
  void on_closed(std::int32_t id, bool is_whole) override {
    FUZZ_CHECK(asked_.erase(id) == 1);
    log_[id] += is_whole ? "whole" : "cut";
  }

  std::size_t requests_;
  std::unique_ptr<Http2Client> client_;
  std::map<std::int32_t, std::string> log_;
  std::set<std::int32_t> asked_;  // and not over
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::size_t requests = data[1] % 16 + 1;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string at_once = Reader(requests).run(input, input.size());
  FUZZ_CHECK(Reader(requests).run(input, piece) == at_once);
  return 0;
}
