#include <algorithm>
#include <sse/ascii.hpp>
#include <sse/cors_origin.hpp>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

bool consists_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           others.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string checked_origin(std::string_view text) {
  if (text == "*" || text == "null") return std::string(text);
  std::string origin(text);
  std::transform(origin.begin(), origin.end(), origin.begin(), lower_letter);
  if (origin.ends_with('/')) origin.pop_back();
  const std::string_view view = origin;
  const std::size_t colon = std::min(view.find("://"), view.size());
  const std::string_view host = view.substr(std::min(colon + 3, view.size()));
  if (!consists_of(view.substr(0, colon), "+-.") || !consists_of(host, ".-_:[]")) {
    throw UsageError("--cors: '" + escaped_text(text) +
                     "' is not an origin (write http://HOST, https://HOST:PORT or *)");
  }
  for (const std::string_view usual : {"http:80", "https:443"}) {
    const std::size_t at = usual.find(':');
    if (view.substr(0, colon) != usual.substr(0, at) || !view.ends_with(usual.substr(at))) continue;
    origin.resize(origin.size() - usual.substr(at).size());
    break;
  }
  return origin;
}

}  // namespace netkit::sse
