#include <algorithm>
#include <array>
#include <chrono>
#include <sse/ascii.hpp>
#include <sse/http_response.hpp>
#include <utility>

#include <netkit/util/format.hpp>

namespace netkit::sse {
namespace {

constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";

std::string_view phrase_of(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 10> kPhrases{{
      {200, "OK"},
      {204, "No Content"},
      {400, "Bad Request"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {431, "Request Header Fields Too Large"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
  }};
  for (const auto& [number, phrase] : kPhrases) {
    if (number == status) return phrase;
  }
  return "Error";
}

void append_two_digits(std::string& out, unsigned value) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

void append_status_line(std::string& out, int status, WallTime now) {
  out += "HTTP/1.1 ";
  append_unsigned(out, static_cast<unsigned>(status));
  out += ' ';
  out += phrase_of(status);
  out += "\r\nDate: ";
  append_http_date(out, now);
  out += "\r\n";
}

void append_length(std::string& out, std::size_t length) {
  out += "Content-Length: ";
  append_unsigned(out, length);
  out += "\r\n";
}

// A whole answer in plain text.
void append_text(std::string& out, int status, std::string_view text, bool keep, bool with_body,
                 WallTime now) {
  append_status_line(out, status, now);
  out += "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n";
  if (status == 405) {
    out += "Allow: ";
    out += kMethods;
    out += "\r\n";
  }
  append_length(out, text.size() + 1);
  out += keep ? "\r\n" : "Connection: close\r\n\r\n";
  if (!with_body) return;
  out += text;
  out += '\n';
}

// What browsers and crawlers ask every server for by themselves, and would wait for without end.
bool is_asked_unasked(std::string_view path) {
  return path == "/favicon.ico" || path == "/robots.txt" || path.starts_with("/apple-touch-icon") ||
         path.starts_with("/.well-known/");
}

bool accepts_event_stream(const HttpRequest& request) {
  std::string_view list = request.header("Accept").value_or("");
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    item = item.substr(0, item.find(';'));
    while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
    while (item.ends_with(' ') || item.ends_with('\t')) item.remove_suffix(1);
    if (equal_without_case(item, "text/event-stream")) return true;
  }
  return false;
}

}  // namespace

void append_http_date(std::string& out, WallTime time) {
  constexpr std::array<std::string_view, 7> kDays{"Sun, ", "Mon, ", "Tue, ", "Wed, ",
                                                  "Thu, ", "Fri, ", "Sat, "};
  constexpr std::array<std::string_view, 12> kMonths{" Jan ", " Feb ", " Mar ", " Apr ",
                                                     " May ", " Jun ", " Jul ", " Aug ",
                                                     " Sep ", " Oct ", " Nov ", " Dec "};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  out += kDays[std::chrono::weekday(day).c_encoding()];
  append_two_digits(out, static_cast<unsigned>(date.day()));
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  append_two_digits(out, year / 100);
  append_two_digits(out, year % 100);
  out += ' ';
  append_two_digits(out, static_cast<unsigned>(clock.hours().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(clock.minutes().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(clock.seconds().count()));
  out += " GMT";
}

Responder::Responder(std::vector<std::string> cors, std::string page)
    : cors_(std::move(cors)), page_(std::move(page)) {}

After Responder::answer(std::string& out, const HttpRequest& request, WallTime now) const {
  const After after = request.keep_alive ? After::keep : After::close;
  const bool head = request.method == "HEAD";
  if (request.method == "OPTIONS") return preflight(out, request, now);
  if (!head && request.method != "GET") {
    append_text(out, 405, "only GET, HEAD and OPTIONS are served here", request.keep_alive, true,
                now);
    return after;
  }
  if (request.path == "*") {
    append_text(out, 400, "only OPTIONS may ask for *", request.keep_alive, !head, now);
    return after;
  }
  if (is_asked_unasked(request.path)) {
    append_text(out, 404, "there is no such thing here", request.keep_alive, !head, now);
    return after;
  }
  if (request.path != "/" || accepts_event_stream(request)) return stream(out, request, now);
  append_status_line(out, 200, now);
  out +=
      "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-cache\r\nVary: Accept\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'\r\n";
  append_length(out, page_.size());
  out += request.keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  if (!head) out += page_;
  return after;
}

void Responder::refuse(std::string& out, int status, std::string_view reason, WallTime now) {
  append_text(out, status, reason, false, true, now);
}

// nginx buffers what it passes on unless X-Accel-Buffering forbids it.
After Responder::stream(std::string& out, const HttpRequest& request, WallTime now) const {
  append_status_line(out, 200, now);
  out +=
      "Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
      "X-Content-Type-Options: nosniff\r\n";
  append_cors(out, request);
  out += "Connection: close\r\n\r\n";
  return request.method == "HEAD" ? After::close : After::stream;
}

After Responder::preflight(std::string& out, const HttpRequest& request, WallTime now) const {
  append_status_line(out, 204, now);
  out += "Allow: ";
  out += kMethods;
  out += "\r\n";
  if (!cors_.empty()) {
    append_cors(out, request);
    out += "Access-Control-Allow-Methods: ";
    out += kMethods;
    out +=
        "\r\nAccess-Control-Allow-Headers: Accept, Cache-Control, Last-Event-ID\r\n"
        "Access-Control-Max-Age: 86400\r\n";
  }
  out += request.keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return request.keep_alive ? After::keep : After::close;
}

// Another origin than those that are let in gets no header, which is how a browser learns of it.
void Responder::append_cors(std::string& out, const HttpRequest& request) const {
  if (cors_.empty()) return;
  const auto allows = [this](std::string_view origin) {
    return std::find(cors_.begin(), cors_.end(), origin) != cors_.end();
  };
  if (allows("*")) {
    out += "Access-Control-Allow-Origin: *\r\n";
    return;
  }
  out += "Vary: Origin\r\n";
  const std::string_view origin = request.header("Origin").value_or("");
  if (!allows(origin)) return;
  out += "Access-Control-Allow-Origin: ";
  out += origin;
  out += "\r\n";
}

}  // namespace netkit::sse
