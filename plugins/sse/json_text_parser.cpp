#include <algorithm>
#include <sse/json_text_parser.hpp>

#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr char kRecordSeparator = '\x1E';

}  // namespace

ParseResult JsonTextParser::feed(std::string_view input, EventParser::Handler& handler) {
  bytes_ += input.size();
  if (state_ != ParseResult::more) return state_;
  lines_.feed(input, [&](const Line& line) {
    if (line.too_long) state_ = ParseResult::too_big;
    return !line.too_long && take_line(line.text, handler);
  });
  return state_;
}

ParseResult JsonTextParser::finish(EventParser::Handler& handler) {
  if (state_ != ParseResult::more) return state_;
  lines_.finish([&](const Line& line) { take_line(line.text, handler); });
  return state_;
}

void JsonTextParser::restart(StreamFormat format) {
  lines_ = LineDecoder(max_event_);
  format_ = format;
  state_ = ParseResult::more;
  text_.clear();
  depth_ = 0;
  in_string_ = is_escaped_ = false;
}

// False: no more is wanted, or taken.
bool JsonTextParser::take_line(std::string_view line, EventParser::Handler& handler) {
  if (format_ != StreamFormat::json_sequence) return give(line, handler);
  while (true) {
    const std::size_t end = std::min(line.find(kRecordSeparator), line.size());
    if (!take_piece(line.substr(0, end), handler)) return false;
    if (end == line.size()) return true;
    // What came before it was cut off.
    text_.clear();
    depth_ = 0;
    in_string_ = is_escaped_ = false;
    line.remove_prefix(end + 1);
  }
}

bool JsonTextParser::take_piece(std::string_view piece, EventParser::Handler& handler) {
  scan(piece);
  const bool is_whole = depth_ == 0 && !in_string_;
  if (text_.empty() && is_whole) return give(piece, handler);
  if (text_.size() + piece.size() >= max_event_) {
    state_ = ParseResult::too_big;
    return false;
  }
  text_.append(piece);
  if (!is_whole) {
    text_ += '\n';
    return true;
  }
  const bool more = give(text_, handler);
  text_.clear();
  return more;
}

void JsonTextParser::scan(std::string_view piece) {
  for (const char c : piece) {
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (in_string_) {
      is_escaped_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      --depth_;
    } else if (c == '"') {
      in_string_ = true;
    }
  }
}

bool JsonTextParser::give(std::string_view text, EventParser::Handler& handler) {
  text = trim_white_space(text);
  if (text.empty()) return true;
  if (!is_valid_utf8(text)) {
    if (!repair_utf8(repaired_, text, max_event_)) {
      state_ = ParseResult::too_big;
      return false;
    }
    text = repaired_;
  }
  if (!handler.on_event({"message", text, {}, false})) state_ = ParseResult::stopped;
  return state_ == ParseResult::more;
}

}  // namespace netkit::sse
