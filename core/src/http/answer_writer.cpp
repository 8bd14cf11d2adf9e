#include "http/answer_writer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http_text.hpp>

namespace netkit {
namespace {

std::string_view phrase_of(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 11> kPhrases{{
      {200, "OK"},
      {204, "No Content"},
      {400, "Bad Request"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {421, "Misdirected Request"},
      {431, "Request Header Fields Too Large"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
  }};
  const auto* const found = std::find_if(kPhrases.begin(), kPhrases.end(),
                                         [&](const auto& one) { return one.first == status; });
  return found == kPhrases.end() ? "Error" : found->second;
}

}  // namespace

void append_answer(std::string& out, const HttpAnswer& answer, const HttpFraming& framing) {
  const auto to_out = std::back_inserter(out);
  fmt::format_to(to_out, "HTTP/1.1 {} {}\r\n", answer.status, phrase_of(answer.status));
  if (framing.date) fmt::format_to(to_out, "Date: {}\r\n", http::format_date(*framing.date));
  if (!answer.type.empty()) fmt::format_to(to_out, "Content-Type: {}\r\n", answer.type);
  out += answer.headers;
  if (framing.is_chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (!answer.stream && !answer.type.empty()) {
    fmt::format_to(to_out, "Content-Length: {}\r\n", answer.body.size());
  }
  out += framing.closes ? "Connection: close\r\n\r\n" : "\r\n";
  if (framing.is_head || answer.body.empty()) return;
  if (framing.is_chunked) return append_chunk(out, answer.body);
  out += answer.body;
}

void append_chunk(std::string& out, std::string_view body) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", body.size());
  out.append(body).append("\r\n");
}

}  // namespace netkit
