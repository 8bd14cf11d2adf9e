// HttpRequestParser in pieces gives what it gives at once, and every request that it takes can be
// answered. The first byte is the size of the pieces, the second scales the limits.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <netkit/http/http1.hpp>

namespace {

using netkit::HttpAnswer;
using netkit::HttpHeader;
using netkit::HttpLimits;
using netkit::HttpRequest;
using netkit::HttpRequestParser;
using netkit::HttpRoutes;

const HttpRoutes& routes() {
  static const HttpRoutes all = [] {
    HttpRoutes made({.origins = {"http://a.example"}});
    made.add("/*", [](const HttpRequest& request) {
      return HttpAnswer{.type = "text/plain",
                        .body = request.parameter("a").value_or("none"),
                        .is_shared = request.accepts("text/plain")};
    });
    return made;
  }();
  return all;
}

void append_request(std::string& out, const HttpRequest& request) {
  out += std::string(request.method) + " " + std::string(request.path) + "?" +
         std::string(request.query) + (request.keep_alive ? " keep" : " close") + "\n";
  for (const HttpHeader& header : request.headers) {
    out += std::string(header.name) + "=" + std::string(header.value) + "\n";
  }
  append_answer(out, routes().answer(request), {.is_head = request.method == "HEAD"});
}

std::string run(std::string_view input, std::size_t piece, const HttpLimits& limits) {
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
  const HttpLimits limits{
      .max_line = scale, .max_headers = scale / 8, .max_head = 3 * scale, .max_method = scale / 2};
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (run(input, piece, limits) != run(input, input.size(), limits)) std::abort();
  return 0;
}
