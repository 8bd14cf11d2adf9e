#include <sse/json_text_parser.hpp>
#include <string>
#include <string_view>
#include <unit/sse/step_recorder.hpp>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using Steps = std::vector<std::string>;

struct Outcome {
  Steps steps;
  ParseResult result;
  bool unfinished;
  bool operator==(const Outcome&) const = default;
};

// Fed in pieces that end at `cut` and at every `piece` bytes after it.
Outcome parse(StreamFormat format, std::string_view stream, std::size_t cut, std::size_t piece,
              bool is_complete = false) {
  JsonTextParser parser(64);
  parser.restart(format);
  StepRecorder recorder;
  ParseResult result = parser.feed(std::string(stream.substr(0, cut)), recorder);
  for (std::size_t at = cut; at < stream.size(); at += piece) {
    result = parser.feed(std::string(stream.substr(at, piece)), recorder);
  }
  const bool unfinished = parser.unfinished();
  if (is_complete) parser.finish(recorder);
  return {recorder.steps, result, unfinished};
}

// What comes of a stream, however it is cut.
Outcome parsed(StreamFormat format, std::string_view stream, bool is_complete = false) {
  const Outcome whole = parse(format, stream, stream.size(), 1, is_complete);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    EXPECT_EQ(parse(format, stream, cut, stream.size() + 1, is_complete), whole) << cut;
  }
  EXPECT_EQ(parse(format, stream, 0, 1, is_complete), whole);
  return whole;
}

Steps lines(std::string_view stream) {
  return parsed(StreamFormat::json_lines, stream).steps;
}
Steps sequence(std::string_view stream) {
  return parsed(StreamFormat::json_sequence, stream).steps;
}

TEST(JsonLines, AreAnEventEach) {
  EXPECT_EQ(lines("{\"a\":1}\n\"b\"\r\n\n  \n3\n"),
            (Steps{"event message|{\"a\":1}|", "event message|\"b\"|", "event message|3|"}));
}

TEST(JsonLines, TheLastNeedsNoEndWhereTheStreamIsComplete) {
  const Outcome cut = parsed(StreamFormat::json_lines, "1\n2");
  EXPECT_EQ(cut.steps, Steps{"event message|1|"});
  EXPECT_TRUE(cut.unfinished);
  EXPECT_EQ(parsed(StreamFormat::json_lines, "1\n2", true).steps,
            (Steps{"event message|1|", "event message|2|"}));
}

TEST(JsonLines, BecomeUtf8) {
  EXPECT_EQ(lines("\"\xff\"\n"), Steps{"event message|\"\xEF\xBF\xBD\"|"});
}

TEST(JsonLines, HaveALimit) {
  EXPECT_EQ(parsed(StreamFormat::json_lines, std::string(64, '1') + "\n").result,
            ParseResult::more);
  EXPECT_EQ(parsed(StreamFormat::json_lines, std::string(67, '1')).result, ParseResult::too_big);
}

TEST(JsonSequence, IsATextAfterEachSeparator) {
  EXPECT_EQ(sequence("\x1E{\"a\":1}\n\x1E"
                     "2\n"),
            (Steps{"event message|{\"a\":1}|", "event message|2|"}));
}

TEST(JsonSequence, ATextMayHaveLines) {
  EXPECT_EQ(sequence("\x1E{\n \"a\": \"]}\\\"\",\n \"b\": [1]\n}\n\x1E"
                     "2\n"),
            (Steps{"event message|{\n \"a\": \"]}\\\"\",\n \"b\": [1]\n}|", "event message|2|"}));
}

TEST(JsonSequence, ATextThatIsCutOffIsLeftOut) {
  EXPECT_EQ(sequence("\x1E{\"a\":\x1E"
                     "2\n"),
            Steps{"event message|2|"});
  EXPECT_EQ(sequence("\x1E{\"a\":\n\x1E"
                     "2\n"),
            Steps{"event message|2|"});
  EXPECT_TRUE(parsed(StreamFormat::json_sequence, "\x1E{\"a\":\n1").unfinished);
}

TEST(JsonSequence, HasALimitOverLines) {
  EXPECT_EQ(parsed(StreamFormat::json_sequence,
                   "\x1E[" + std::string(40, '1') + "\n" + std::string(40, '1') + "\n]\n")
                .result,
            ParseResult::too_big);
}

TEST(JsonTexts, StopWhenNoMoreAreWanted) {
  struct One : EventParser::Handler {
    bool on_event(const Event&) override { return ++count < 1; }
    int count = 0;
  } one;
  JsonTextParser parser(64);
  parser.restart(StreamFormat::json_lines);
  EXPECT_EQ(parser.feed("1\n2\n", one), ParseResult::stopped);
  EXPECT_EQ(parser.feed("3\n", one), ParseResult::stopped);
  EXPECT_EQ(one.count, 1);
}

}  // namespace
}  // namespace netkit::sse
