// HttpRequestParser in pieces gives what it gives at once, and every request that it takes can be
// answered. The first byte is the size of the pieces, the second scales the limits.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sse/http_request.hpp>
#include <sse/http_response.hpp>
#include <string>
#include <string_view>

namespace {

using netkit::sse::HttpHeader;
using netkit::sse::HttpRequest;
using netkit::sse::HttpRequestParser;
using netkit::sse::RequestLimits;
using netkit::sse::Responder;

void append_request(std::string& out, const HttpRequest& request) {
  out += std::string(request.method) + " " + std::string(request.path) + "?" +
         std::string(request.query) + (request.keep_alive ? " keep" : " close") + " " +
         last_event_id_of(request) + "\n";
  for (const HttpHeader& header : request.headers) {
    out += std::string(header.name) + "=" + std::string(header.value) + "\n";
  }
  Responder({"*"}, "page").answer(out, request, netkit::WallTime{});
}

std::string run(std::string_view input, std::size_t piece, const RequestLimits& limits) {
  HttpRequestParser parser(limits);
  std::string out;
  while (!input.empty()) {
    const std::string copy(input.substr(0, piece));
    const auto progress = parser.feed(copy);
    if (progress.state == HttpRequestParser::State::failed) {
      return out + std::to_string(parser.status()) + std::string(parser.reason());
    }
    if (progress.consumed == 0 || progress.consumed > copy.size()) std::abort();
    if (progress.state == HttpRequestParser::State::done) append_request(out, parser.request());
    input.remove_prefix(progress.consumed);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::size_t scale = data[1];
  const RequestLimits limits{scale, scale / 8, 3 * scale};
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (run(input, piece, limits) != run(input, input.size(), limits)) std::abort();
  return 0;
}
