#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http1.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::string_view kNoRequest = "not an HTTP request";

// RFC 9110, section 5.5: visible bytes, those above 0x7F, space and TAB.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7F : c == '\t';
  });
}

bool has_list_item(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    if (http::equal_without_case(http::take_list_item(list), wanted)) return true;
  }
  return false;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (http::equal_without_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::optional<std::string> HttpRequest::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find('&'));
    if (item.size() > name.size() && item.starts_with(name) && item[name.size()] == '=') {
      return percent_decoded(item.substr(name.size() + 1));
    }
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
  }
  return std::nullopt;
}

bool HttpRequest::accepts(std::string_view media_type) const {
  std::string_view list = header("Accept").value_or("");
  while (!list.empty()) {
    const std::string_view item = http::take_list_item(list);
    const std::string_view type = http::trim_blanks(item.substr(0, item.find(';')));
    if (http::equal_without_case(type, media_type)) return true;
  }
  return false;
}

HttpRequestParser::Progress HttpRequestParser::feed(std::string_view input) {
  if (status_ != 0) return {State::failed, 0};
  if (complete_) restart();
  std::size_t at = 0;
  while (at < input.size()) {
    if (in_body_) {
      at += take_body(input.substr(at));
      if (status_ != 0) return {State::failed, at};
      if (complete_) return {State::done, at};
      continue;
    }
    const std::size_t line_feed = input.find('\n', at);
    const std::size_t end = line_feed == std::string_view::npos ? input.size() : line_feed;
    // One more than allowed shows that it is too long; the CR may be that one.
    const std::size_t room =
        limits_.max_line + 2 - std::min(head_.size() - line_begin_, limits_.max_line + 2);
    head_.append(input.substr(at, std::min(end - at, room)));
    if (is_no_method()) {
      fail(400, kNoRequest);
      return {State::failed, at};
    }
    if (is_too_large(line_feed == end)) {
      fail(has_request_line_ ? 431 : 414, "the request head, or a line of it, is too large");
      return {State::failed, at};
    }
    if (line_feed == std::string_view::npos) return {State::more, input.size()};
    at = line_feed + 1;
    if (!end_line()) return {State::failed, at};
    if (complete_) return {State::done, at};
  }
  return {State::more, at};
}

// Counts without a CR at the end, which may turn out to belong to a line's end, so that it does not
// matter where the input is cut; and with the LF that is to come.
bool HttpRequestParser::is_too_large(bool has_line_feed) const {
  const bool has_cr = head_.size() > line_begin_ && head_.back() == '\r';
  const std::size_t size = head_.size() - (has_cr ? 1 : 0);
  return size - line_begin_ > limits_.max_line || size + (has_line_feed ? 1 : 0) > limits_.max_head;
}

// Only where that shows before the line, or the head, is too long, so that it does not matter where
// the input is cut.
bool HttpRequestParser::is_no_method() const {
  const std::size_t most = limits_.max_method;
  if (has_request_line_ || most >= limits_.max_line) return false;
  const std::string_view line = std::string_view(head_).substr(line_begin_);
  return line_begin_ + most < limits_.max_head && line.size() > most && line.find(' ') > most;
}

// A line may end with LF alone (RFC 9112, section 2.2).
bool HttpRequestParser::end_line() {
  if (head_.size() > line_begin_ && head_.back() == '\r') head_.pop_back();
  const std::string_view line = std::string_view(head_).substr(line_begin_);
  const std::size_t begin = line_begin_;
  head_ += '\n';
  line_begin_ = head_.size();
  const std::string_view stable = std::string_view(head_).substr(begin, line.size());
  if (!has_request_line_) {
    // Empty lines before a request are ignored; max_head bounds them.
    return stable.empty() || take_request_line(stable);
  }
  return stable.empty() ? finish() : take_header(stable, begin);
}

bool HttpRequestParser::take_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return fail(400, kNoRequest);
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(second + 1);
  if (!http::is_token(method)) return fail(400, kNoRequest);
  if (!version.starts_with("HTTP/") || version.size() != 8 || version[6] != '.' ||
      hex_value(version[5]) < 0 || hex_value(version[7]) < 0) {
    return fail(400, kNoRequest);
  }
  if (version[5] != '1') return fail(505, "only HTTP/1.0 and HTTP/1.1 are supported");
  request_.minor_version = version[7] == '0' ? 0 : 1;
  method_ = {static_cast<std::size_t>(line.data() - head_.data()), method.size()};
  has_request_line_ = true;
  return take_target(line.substr(first + 1, second - first - 1));
}

// Origin form, absolute form (of which the authority is dropped) or `*` (RFC 9112, section 3.2).
bool HttpRequestParser::take_target(std::string_view target) {
  if (!http::is_visible_text(target)) return fail(400, http::kNotEncoded);
  const std::size_t scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos) {
    const std::size_t path = target.find('/', scheme + 3);
    target.remove_prefix(std::min(path, target.size()));
  }
  if (!target.starts_with('/') && target != "*") {
    return fail(400, "the request target must begin with /");
  }
  const std::size_t question = target.find('?');
  const auto begin = static_cast<std::size_t>(target.data() - head_.data());
  path_ = {begin, std::min(question, target.size())};
  query_ = {begin, 0};
  if (question != std::string_view::npos) {
    query_ = {begin + question + 1, target.size() - question - 1};
  }
  return true;
}

bool HttpRequestParser::take_header(std::string_view line, std::size_t line_begin) {
  if (headers_.size() == limits_.max_headers) return fail(431, "too many header lines");
  const std::size_t colon = line.find(':');
  // No white space before the colon, no folded lines: RFC 9112, sections 5.1 and 5.2.
  if (colon == std::string_view::npos || !http::is_token(line.substr(0, colon))) {
    return fail(400, "a header line is malformed");
  }
  const std::string_view value = http::trim_blanks(line.substr(colon + 1));
  if (!is_field_value(value)) return fail(400, "a header value has control characters");
  const std::size_t value_begin =
      value.empty() ? line_begin + colon : static_cast<std::size_t>(value.data() - head_.data());
  headers_.push_back({Slice{line_begin, colon}, Slice{value_begin, value.size()}});
  return true;
}

bool HttpRequestParser::finish() {
  request_.method = text(method_);
  request_.path = text(path_);
  request_.query = text(query_);
  request_.keep_alive = request_.minor_version >= 1;
  std::size_t hosts = 0;
  for (const auto& [name, value] : headers_) {
    const HttpHeader header{text(name), text(value)};
    request_.headers.push_back(header);
    if (http::equal_without_case(header.name, "Host")) ++hosts;
    if (http::equal_without_case(header.name, "Connection")) {
      if (has_list_item(header.value, "close")) request_.keep_alive = false;
      if (request_.minor_version == 0 && has_list_item(header.value, "keep-alive")) {
        request_.keep_alive = true;
      }
    }
  }
  const bool lacks_host = hosts == 0 && request_.minor_version >= 1;
  if (hosts > 1 || (lacks_host && limits_.host_is_needed)) {
    return fail(400, "exactly one Host header is needed");
  }
  if (!check_body()) return false;
  complete_ = !in_body_;
  expects_ = in_body_ && request_.minor_version >= 1 &&
             http::equal_without_case(request_.header("Expect").value_or(""), "100-continue");
  return true;
}

// How much of it was taken.
std::size_t HttpRequestParser::take_body(std::string_view input) {
  const std::size_t room = limits_.max_body - body_.size();
  std::size_t taken = 0;
  expects_ = false;
  if (chunks_) {
    taken = chunks_->feed(input, [&](std::string_view piece) {
      if (status_ != 0) return;
      if (body_.size() + piece.size() > limits_.max_body) {
        fail(413, "the body is too large");
      } else if (!body_.append(piece)) {
        fail(503, kNoRoomForBodies);
      }
    });
    if (chunks_->state() == HttpChunkDecoder::State::failed) fail(400, "a chunk is malformed");
    complete_ = chunks_->state() == HttpChunkDecoder::State::done;
  } else {
    taken = static_cast<std::size_t>(
        std::min<std::uint64_t>({body_left_, input.size(), std::uint64_t{room}}));
    if (!body_.append(input.substr(0, taken))) fail(503, kNoRoomForBodies);
    body_left_ -= taken;
    complete_ = body_left_ == 0;
  }
  request_.body = body_.text();
  return taken;
}

// RFC 9112, section 6. Where two servers could differ on where the body ends, a second request
// could hide in it: there is no answer but 400.
bool HttpRequestParser::check_body() {
  std::optional<std::uint64_t> length;
  bool is_chunked = false;
  for (const HttpHeader& header : request_.headers) {
    if (http::equal_without_case(header.name, "Content-Length")) {
      const auto value = read_integer<std::uint64_t>(header.value);
      if (!value || length.value_or(*value) != *value) {
        return fail(400, "Content-Length is not a single number");
      }
      length = value;
    } else if (http::equal_without_case(header.name, "Transfer-Encoding")) {
      if (is_chunked || !http::equal_without_case(header.value, "chunked")) {
        return fail(501, "no transfer coding other than chunked is supported");
      }
      is_chunked = true;
    }
  }
  if (is_chunked && (length || request_.minor_version == 0)) {
    return fail(400, "the length of the body is given in two ways");
  }
  in_body_ = is_chunked || length.value_or(0) != 0;
  if (limits_.max_body == 0) {
    // What follows the head cannot be told from another request, so the connection ends with the
    // answer.
    if (in_body_) request_.keep_alive = false;
    in_body_ = false;
    return true;
  }
  body_left_ = length.value_or(0);
  if (body_left_ > limits_.max_body) return fail(413, "the body is too large");
  if (is_chunked) chunks_.emplace();
  return true;
}

bool HttpRequestParser::fail(int status, std::string_view reason) {
  status_ = status;
  reason_ = reason;
  return false;
}

std::string_view HttpRequestParser::text(Slice slice) const {
  return std::string_view(head_).substr(slice.begin, slice.length);
}

void HttpRequestParser::drop_body() {
  body_.clear();
  request_.body = {};
}

void HttpRequestParser::restart() {
  head_.clear();
  line_begin_ = 0;
  has_request_line_ = false;
  complete_ = in_body_ = false;
  chunks_.reset();
  drop_body();
  headers_.clear();
  request_.headers.clear();
}

namespace {

std::string_view phrase_of(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 15> kPhrases{{
      {200, "OK"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {421, "Misdirected Request"},
      {431, "Request Header Fields Too Large"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
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
