// Streams of JSON texts as events (StreamFormat::json_lines and json_sequence).
#pragma once

#include <cstddef>
#include <cstdint>
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>

#include <netkit/codec/line_decoder.hpp>

namespace netkit::sse {

// Push style: any cut of the stream into pieces gives the same events. A text is an event without
// an id as soon as its line has ended; it is not looked at whether it is JSON, but in a sequence
// one of several lines is known by its brackets. What is not UTF-8 becomes U+FFFD. [one thread]
class JsonTextParser {
 public:
  // `max_event` limits each text.
  explicit JsonTextParser(std::size_t max_event) : max_event_(max_event), lines_(max_event) {}

  // After stopped or too_big, everything is dropped and the same is returned until restart().
  ParseResult feed(std::string_view input, EventParser::Handler& handler);
  // The stream is complete: a last line needs no end.
  ParseResult finish(EventParser::Handler& handler);
  // Another stream begins.
  void restart(StreamFormat format);
  // Some of a text whose end has not come.
  bool unfinished() const { return lines_.pending() != 0 || !text_.empty(); }
  std::uint64_t bytes() const { return bytes_; }  // all that were ever fed

 private:
  bool take_line(std::string_view line, EventParser::Handler& handler);
  bool take_piece(std::string_view piece, EventParser::Handler& handler);
  bool give(std::string_view text, EventParser::Handler& handler);
  void scan(std::string_view piece);

  std::size_t max_event_;
  LineDecoder lines_;
  StreamFormat format_ = StreamFormat::json_lines;
  ParseResult state_ = ParseResult::more;
  std::uint64_t bytes_ = 0;
  std::string text_;  // of a sequence, so far
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool is_escaped_ = false;
  std::string repaired_;
};

}  // namespace netkit::sse
