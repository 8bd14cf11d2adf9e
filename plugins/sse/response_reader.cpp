#include <algorithm>
#include <sse/response_reader.hpp>

#include <netkit/http/http_text.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxHead = std::size_t{256} << 10U;

std::string_view take_line(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Of `HTTP/1.1 200 OK`; none of what is no such line.
std::optional<int> status_of(std::string_view line) {
  if (!line.starts_with("HTTP/")) return std::nullopt;
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto status = read_integer<unsigned>(line.substr(blank + 1, 3));
  if (!status || *status < 100 || *status > 999) return std::nullopt;
  return static_cast<int>(*status);
}

}  // namespace

void ResponseReader::restart(bool to_head) {
  *this = ResponseReader();
  to_head_ = to_head;
}

std::size_t ResponseReader::feed(std::string_view input, Handler& handler) {
  std::size_t at = 0;
  while (at < input.size() && state_ == State::more) {
    const std::string_view rest = input.substr(at);
    if (!in_body_) {
      const std::size_t line_end = std::min(rest.find('\n'), rest.size() - 1) + 1;
      head_ += rest.substr(0, line_end);
      at += line_end;
      if (head_.size() > kMaxHead) state_ = State::failed;
      if (head_.ends_with("\n\r\n") || head_.ends_with("\n\n")) take_head(handler);
    } else if (chunks_) {
      at += chunks_->feed(rest, [&](std::string_view piece) { handler.on_body(piece); });
      if (chunks_->state() == HttpChunkDecoder::State::done) state_ = State::done;
      if (chunks_->state() == HttpChunkDecoder::State::failed) state_ = State::failed;
    } else {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_.value_or(SIZE_MAX), rest.size()));
      handler.on_body(rest.substr(0, size));
      at += size;
      if (left_ && (*left_ -= size) == 0) state_ = State::done;
    }
  }
  return at;
}

void ResponseReader::take_head(Handler& handler) {
  std::string_view rest = head_;
  const std::optional<int> status = status_of(take_line(rest));
  if (!status) {
    state_ = State::failed;
    return;
  }
  if (*status < 200 && *status != 101) return head_.clear();
  Head head{.status = *status};
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const std::string_view name = http::header_name(line);
    if (name.size() == line.size()) continue;
    const std::string_view value = http::trim_blanks(line.substr(name.size() + 1));
    if (http::equal_without_case(name, "Content-Type")) head.content_type = value;
    if (http::equal_without_case(name, "Content-Encoding")) head.content_encoding = value;
    if (http::equal_without_case(name, "Transfer-Encoding")) chunks_.emplace();
    if (http::equal_without_case(name, "Content-Length")) {
      left_ = read_integer<std::uint64_t>(value);
      if (!left_) state_ = State::failed;
    }
  }
  if (chunks_) left_.reset();
  handler.on_head(head);
  in_body_ = true;
  const bool has_no_body = to_head_ || *status == 204 || *status == 304 || left_ == 0U;
  if (has_no_body && state_ == State::more) state_ = State::done;
}

}  // namespace netkit::sse
