// A stream a line, and what the standard makes of it; each fed at once, byte by byte, and cut at
// every offset.
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>
#include <unit/sse/reference_parser.hpp>
#include <unit/sse/step_recorder.hpp>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using namespace std::string_literals;

struct Case {
  std::string name;
  std::string stream;
  std::vector<std::string> steps;
  std::string last_id = {};
};

const std::string kBad = "\xEF\xBF\xBD";

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      // Lines and their ends.
      {"Nothing", "", {}},
      {"Lf", "data: a\n\n", {"event message|a|"}},
      {"Cr", "data: a\r\r", {"event message|a|"}},
      {"CrLf", "data: a\r\n\r\n", {"event message|a|"}},
      {"CrLfThenLf", "data: a\r\n\n", {"event message|a|"}},
      {"LfThenCr", "data: a\n\r", {"event message|a|"}},
      {"LfThenCrLf", "data: a\n\r\n", {"event message|a|"}},
      {"CrThenCrLf", "data: a\r\r\n", {"event message|a|"}},
      {"LfCrIsTwoEnds", "data: a\n\rdata: b\n\n", {"event message|a|", "event message|b|"}},
      {"EndsMixed", "data: a\rdata: b\ndata: c\r\n\n", {"event message|a\nb\nc|"}},
      {"BlankLinesOnly", "\n\r\n\r\n\n\r", {}},
      {"BlankLinesBefore", "\n\n\ndata: a\n\n", {"event message|a|"}},
      {"BlankLinesBetween", "data: a\n\n\n\ndata: b\n\n", {"event message|a|", "event message|b|"}},
      {"OtherSeparatorsAreData",
       "data: a\v\f\x1c\xc2\x85\xe2\x80\xa8z\n\n",
       {"event message|a\v\f\x1c\xc2\x85\xe2\x80\xa8z|"}},
      {"LongLine",
       "data: " + std::string(300, 'x') + "\n\n",
       {"event message|" + std::string(300, 'x') + "|"}},
      {"EndAtEveryBlockOffset",
       "data: 0123456\ndata: 01234567\ndata: 012345678\ndata: " + std::string(57, 'y') + "\n\n",
       {"event message|0123456\n01234567\n012345678\n" + std::string(57, 'y') + "|"}},
      // The end of the stream.
      {"NoBlankLine", "data: a\n", {}},
      {"NoLineEnd", "data: a", {}},
      {"NoSecondBlankLine", "data: a\n\ndata: b\n", {"event message|a|"}},
      {"CutInName", "data: a\n\nda", {"event message|a|"}},
      {"IdOfACutEventIsNotKept", "id: 1\ndata: a\n\nid: 2\ndata: b\n", {"event message|a|1"}, "1"},
      // The byte order mark.
      {"Bom",
       "\xEF\xBB\xBF"
       "data: a\n\n",
       {"event message|a|"}},
      {"BomBeforeBlankLine",
       "\xEF\xBB\xBF\n"
       "data: a\n\n",
       {"event message|a|"}},
      {"BomBeforeComment", "\xEF\xBB\xBF: c\n", {"comment c"}},
      {"BomTwiceIsAName",
       "\xEF\xBB\xBF\xEF\xBB\xBF"
       "data: a\n\n",
       {}},
      {"BomLater",
       "data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {"event message|a|"}},
      {"BomInData",
       "data: \xEF\xBB\xBF"
       "a\n\n",
       {"event message|\xEF\xBB\xBF"
        "a|"}},
      {"BomInSecondLine",
       "\n\xEF\xBB\xBF"
       "data: a\n\n",
       {}},
      {"HalfABom",
       "\xEF\xBB"
       "data: a\n\n",
       {}},
      {"BomOnly", "\xEF\xBB\xBF", {}},
      {"Utf16Bom",
       "\xFF\xFE"
       "data: a\n\n",
       {}},
      // Fields.
      {"NoSpace", "data:a\n\n", {"event message|a|"}},
      {"OneSpaceIsRemoved", "data:  a\n\n", {"event message| a|"}},
      {"TabStays", "data:\ta\n\n", {"event message|\ta|"}},
      {"SpaceAtTheEndStays", "data: a \n\n", {"event message|a |"}},
      {"NoColon", "data\n\n", {"event message||"}},
      {"NoColonTwice", "data\ndata\n\n", {"event message|\n|"}},
      {"EmptyValue", "data:\n\n", {"event message||"}},
      {"SpaceIsAnEmptyValue", "data: \n\n", {"event message||"}},
      {"EmptyThenValue", "data\ndata: a\n\n", {"event message|\na|"}},
      {"ValueThenEmpty", "data: a\ndata:\n\n", {"event message|a\n|"}},
      {"ColonInValue", "data: a:b:c\n\n", {"event message|a:b:c|"}},
      {"ColonAtTheFrontOfValue", "data::a\n\n", {"event message|:a|"}},
      {"UpperCaseName", "Data: a\nDATA: b\n\n", {}},
      {"SpaceBeforeName", " data: a\n\n", {}},
      {"SpaceBeforeColon", "data : a\n\n", {}},
      {"UnknownField", "foo: bar\ndata: a\n\n", {"event message|a|"}},
      {"UnknownFieldWithoutColon", "justaword\ndata: a\n\n", {"event message|a|"}},
      {"LongerName", "datas: a\ndataa\n\n", {}},
      {"ShorterName", "dat: a\nd\n\n", {}},
      {"NulInName", "da\0ta: a\n\n"s, {}},
      {"NulInData", "data: a\0b\n\n"s, {"event message|a\0b|"s}},
      {"ThreeLines", "data: a\ndata: b\ndata: c\n\n", {"event message|a\nb\nc|"}},
      {"TwoEvents", "data: a\n\ndata: b\n\n", {"event message|a|", "event message|b|"}},
      {"JsonData", "data: {\"a\": [1, 2]}\n\n", {"event message|{\"a\": [1, 2]}|"}},
      // Comments.
      {"Comment", ": hello\n", {"comment hello"}},
      {"CommentWithoutText", ":\n\n", {"comment "}},
      {"CommentThatLooksLikeAField", ":data: a\n\n", {"comment data: a"}},
      {"CommentInAnEvent", "data: a\n: c\ndata: b\n\n", {"comment c", "event message|a\nb|"}},
      {"CommentNotUtf8", ": \xFF\n", {"comment " + kBad}},
      // Types.
      {"Type", "event: add\ndata: a\n\n", {"event add|a|"}},
      {"TypeAfterData", "data: a\nevent: add\n\n", {"event add|a|"}},
      {"LastTypeCounts", "event: a\nevent: b\ndata: x\n\n", {"event b|x|"}},
      {"EmptyTypeIsMessage", "event: a\nevent:\ndata: x\n\n", {"event message|x|"}},
      {"TypeWithoutColonIsMessage", "event\ndata: x\n\n", {"event message|x|"}},
      {"TypeDoesNotStay", "event: a\ndata: x\n\ndata: y\n\n", {"event a|x|", "event message|y|"}},
      {"TypeWithoutDataDoesNotStay", "event: a\n\ndata: y\n\n", {"event message|y|"}},
      {"TypeMessage", "event: message\ndata: y\n\n", {"event message|y|"}},
      {"TypeWithSpaces", "event:  a b \ndata: y\n\n", {"event  a b |y|"}},
      // Ids.
      {"Id", "id: 1\ndata: a\n\n", {"event message|a|1"}, "1"},
      {"IdStays", "id: 1\ndata: a\n\ndata: b\n\n", {"event message|a|1", "event message|b|1"}, "1"},
      {"IdAfterData", "data: a\nid: 1\n\n", {"event message|a|1"}, "1"},
      {"LastIdCounts", "id: 1\nid: 2\ndata: a\n\n", {"event message|a|2"}, "2"},
      {"EmptyIdResets",
       "id: 1\ndata: a\n\nid:\ndata: b\n\n",
       {"event message|a|1", "event message|b|"}},
      {"IdWithoutColonResets",
       "id: 1\ndata: a\n\nid\ndata: b\n\n",
       {"event message|a|1", "event message|b|"}},
      {"IdWithNulIsIgnored", "id: 1\nid: 2\0\ndata: a\n\n"s, {"event message|a|1"}, "1"},
      {"IdWithoutDataIsKept", "id: 7\n\n", {}, "7"},
      {"IdWithoutDataGoesToTheNext", "id: 7\n\ndata: a\n\n", {"event message|a|7"}, "7"},
      {"IdWithSpaces", "id:  7 \ndata: a\n\n", {"event message|a| 7 "}, " 7 "},
      {"IdNotAscii",
       "id: \xE2\x80\xA6\ndata: a\n\n",
       {"event message|a|\xE2\x80\xA6"},
       "\xE2\x80\xA6"},
      {"IdNotUtf8", "id: \xE2\x80\ndata: a\n\n", {"event message|a|" + kBad}, kBad},
      // The reconnection time.
      {"Retry", "retry: 3000\n", {"retry 3000"}},
      {"RetryNeedsNoBlankLine", "retry: 1\nretry: 2\n", {"retry 1", "retry 2"}},
      {"RetryZero", "retry:0\n", {"retry 0"}},
      {"RetryLeadingZeros", "retry: 0010\n", {"retry 10"}},
      {"RetryEmpty", "retry\nretry:\nretry: \n", {}},
      {"RetryNegative", "retry: -1\n", {}},
      {"RetrySign", "retry: +1\n", {}},
      {"RetryFraction", "retry: 1.5\n", {}},
      {"RetryUnit", "retry: 10s\n", {}},
      {"RetryExponent", "retry: 1e3\n", {}},
      {"RetrySpaceInside", "retry:  1\nretry: 1 \n", {}},
      {"RetryOtherDigits", "retry: \xD9\xA1\n", {}},
      {"RetryHuge", "retry: 99999999999999999999999\n", {"retry 9223372036854"}},
      {"RetryInAnEvent", "data: a\nretry: 5\n\n", {"retry 5", "event message|a|"}},
      // UTF-8.
      {"Utf8",
       "data: \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\n\n",
       {"event message|\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80|"}},
      {"LoneContinuation", "data: a\x80z\n\n", {"event message|a" + kBad + "z|"}},
      {"InvalidByte", "data: \xFF\xFE\n\n", {"event message|" + kBad + kBad + "|"}},
      {"CutSequence", "data: \xE2\x82\n\n", {"event message|" + kBad + "|"}},
      {"CutSequenceBeforeAscii", "data: \xF0\x9F\x98z\n\n", {"event message|" + kBad + "z|"}},
      {"CutSequenceBeforeAnother",
       "data: \xE2\x82\xC3\xA4\n\n",
       {"event message|" + kBad + "\xC3\xA4|"}},
      {"Overlong", "data: \xC0\x80\n\n", {"event message|" + kBad + kBad + "|"}},
      {"OverlongThree", "data: \xE0\x80\x80\n\n", {"event message|" + kBad + kBad + kBad + "|"}},
      {"Surrogate", "data: \xED\xA0\x80\n\n", {"event message|" + kBad + kBad + kBad + "|"}},
      {"AboveUnicode",
       "data: \xF4\x90\x80\x80\n\n",
       {"event message|" + kBad + kBad + kBad + kBad + "|"}},
      {"OverlongLineFeedIsNoLineFeed",
       "data: a\xC0\x8A"
       "b\n\n",
       {"event message|a" + kBad + kBad + "b|"}},
      {"InvalidInTheSecondLine",
       "data: a\ndata: \xFF\ndata: b\n\n",
       {"event message|a\n" + kBad + "\nb|"}},
      {"InvalidInName", "da\xFFta: a\n\n", {}},
      {"InvalidInType", "event: \xFF\ndata: a\n\n", {"event " + kBad + "|a|"}},
  };
  return kCases;
}

class Conformance : public testing::TestWithParam<Case> {
 protected:
  // The stream in pieces.
  void expect(const std::vector<std::string_view>& pieces) {
    StepRecorder sink;
    EventParser parser(1 << 16);
    for (const std::string_view piece : pieces) {
      // Each piece dies after its call, so that a view that is kept too long shows.
      const std::string copy(piece);
      ASSERT_EQ(parser.feed(copy, sink), ParseResult::more);
    }
    EXPECT_EQ(sink.steps, GetParam().steps);
    EXPECT_EQ(parser.last_event_id(), GetParam().last_id);
    EXPECT_EQ(parser.bytes(), GetParam().stream.size());
  }
};

TEST_P(Conformance, AtOnce) {
  expect({GetParam().stream});
}

TEST_P(Conformance, ByteByByte) {
  std::vector<std::string_view> bytes;
  for (const char& byte : GetParam().stream) bytes.emplace_back(&byte, 1);
  expect(bytes);
}

TEST_P(Conformance, CutAtEveryOffset) {
  const std::string_view stream = GetParam().stream;
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    SCOPED_TRACE(cut);
    expect({stream.substr(0, cut), stream.substr(cut)});
  }
}

TEST_P(Conformance, ReferenceAgrees) {
  const reference::Result result = reference::parse(GetParam().stream);
  EXPECT_EQ(result.steps, GetParam().steps);
  EXPECT_EQ(result.last_event_id, GetParam().last_id);
}

INSTANTIATE_TEST_SUITE_P(Streams, Conformance, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace netkit::sse
