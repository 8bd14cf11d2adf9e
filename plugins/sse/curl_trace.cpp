#include <algorithm>
#include <array>
#include <sse/curl_trace.hpp>
#include <string>

#include <netkit/http/http_text.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::array<std::string_view, 4> kSecret = {"authorization", "proxy-authorization",
                                                     "cookie", "set-cookie"};

void log_head(const Log& log, std::string_view direction, std::string_view head) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    const std::string_view line = trim_white_space(head.substr(0, end));
    if (!line.empty()) log.protocol(std::string(direction) + std::string(shown_header(line)));
    head.remove_prefix(std::min(end + 1, head.size()));
  }
}

int take(CURL*, curl_infotype type, char* data, std::size_t size, void* log_pointer) {
  const Log& log = *static_cast<const Log*>(log_pointer);
  const std::string_view bytes(data, size);
  if (type == CURLINFO_HEADER_OUT) log_head(log, "to server: ", bytes);
  if (type == CURLINFO_HEADER_IN) log_head(log, "from server: ", bytes);
  if (type == CURLINFO_DATA_OUT) log.hex("to server: body", bytes);
  if (type == CURLINFO_DATA_IN) log.hex("from server: body", bytes);
  return 0;
}

}  // namespace

std::string_view shown_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line;
  const std::string_view name = line.substr(0, colon);
  const bool secret = std::any_of(kSecret.begin(), kSecret.end(), [&](std::string_view word) {
    return http::equal_without_case(name, word);
  });
  return secret ? line.substr(0, colon + 1) : line;
}

void trace_curl(CURL* easy, const Log& log) {
  curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &take);
  curl_easy_setopt(easy, CURLOPT_DEBUGDATA, const_cast<Log*>(&log));
  curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

}  // namespace netkit::sse
