#include <sse/event_stream.hpp>
#include <string>
#include <string_view>
#include <unit/sse/step_recorder.hpp>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using Steps = std::vector<std::string>;

class ParserTest : public testing::Test {
 protected:
  ParseResult feed(std::string_view input) { return parser_.feed(input, sink_); }
  ParseResult feed_bytes(std::string_view input) {
    ParseResult result = ParseResult::more;
    for (const char& byte : input) result = feed({&byte, 1});
    return result;
  }

  EventParser parser_{100};
  StepRecorder sink_;
};

TEST_F(ParserTest, ActsOnACrBeforeTheNextByteComes) {
  feed("data: a\r\r");
  EXPECT_EQ(sink_.steps, Steps{"event message|a|"});
}

TEST_F(ParserTest, TakesLfAfterCrAcrossAnEmptyRead) {
  feed("data: a\r");
  feed("");
  feed("\ndata: b\n\n");
  EXPECT_EQ(sink_.steps, Steps{"event message|a\nb|"});
}

TEST_F(ParserTest, GivesALineOfDataAndABlankOneAtOnce) {
  feed("data:a\n\ndata: b\n\nid: 1\n\ndata: c\n\n");
  feed("event: t\n");
  feed("data: d\n\ndata: e\n\ndata: \xC3\xA9\n\ndata:\n\ndatas: f\n\n");
  EXPECT_EQ(sink_.steps,
            (Steps{"event message|a|", "event message|b|", "event message|c|1", "event t|d|1",
                   "event message|e|1", "event message|\u00e9|1", "event message||1"}));
}

TEST_F(ParserTest, RestartDiscardsTheHalfEventAndKeepsTheId) {
  feed("id: 1\ndata: a\n\nid: 2\ndata: b\nda");
  parser_.restart();
  EXPECT_EQ(parser_.last_event_id(), "1");
  feed("data: c\n\n");
  EXPECT_EQ(sink_.steps, (Steps{"event message|a|1", "event message|c|1"}));
}

TEST_F(ParserTest, KnowsWhetherAnEventIsCutOff) {
  const auto cut_off_after = [this](std::string_view input) {
    parser_.restart();
    feed(input);
    return parser_.unfinished();
  };
  EXPECT_TRUE(cut_off_after("data: a\n"));
  EXPECT_TRUE(cut_off_after("data: a\n\ndata"));
  EXPECT_FALSE(cut_off_after("data: a\n\n"));
  EXPECT_FALSE(cut_off_after("id: 1\n"));
  EXPECT_FALSE(cut_off_after(": comme"));
  EXPECT_FALSE(cut_off_after(""));
}

TEST_F(ParserTest, RestartForgetsACrAtTheEnd) {
  feed("data: a\r");
  parser_.restart();
  feed("\ndata: b\n\n");
  EXPECT_EQ(sink_.steps, Steps{"event message|b|"});
}

TEST_F(ParserTest, RestartExpectsAByteOrderMarkAgain) {
  feed("data: a\n\n");
  parser_.restart();
  feed(
      "\xEF\xBB\xBF"
      "data: b\n\n");
  EXPECT_EQ(sink_.steps, (Steps{"event message|a|", "event message|b|"}));
}

TEST_F(ParserTest, BeginsWithTheIdOfAnEarlierRun) {
  EventParser parser(100, "41");
  parser.feed("data: a\n\n", sink_);
  EXPECT_EQ(sink_.steps, Steps{"event message|a|41"});
  EXPECT_EQ(parser.last_event_id(), "41");
}

TEST_F(ParserTest, GivesDataThatIsWholeInTheInputAsAViewOfIt) {
  struct Views : EventParser::Handler {
    bool on_event(const Event& event) override {
      views.push_back(event.data);
      return true;
    }
    std::vector<std::string_view> views;
  } sink;
  const std::string input = "data: first\n\nid: 1\ndata: second\n\n";
  parser_.feed(input, sink);
  ASSERT_EQ(sink.views.size(), 2u);
  EXPECT_EQ(sink.views[0].data(), input.data() + 6);
  EXPECT_EQ(sink.views[1].data(), input.data() + input.find("second"));
}

TEST(ParserContent, KnowsDataThatIsPrintable) {
  struct Printable : EventParser::Handler {
    bool on_event(const Event& event) override {
      known += event.printable ? 'y' : 'n';
      return true;
    }
    std::string known;
  } sink;
  EventParser parser(1000);
  const std::string tail(200, '~');  // the scan goes by blocks of 16 to 128 bytes
  for (const char* data : {" a", "\x7f", "\x1f", "\t", "\xc3\xa4"}) {
    for (std::size_t before = 0; before < 300; ++before) {
      std::string line = "data:";
      line.append(before, '!').append(data).append(tail).append("\n\n");
      parser.feed(line, sink);
      parser.feed(line.substr(0, line.size() / 2), sink);
      parser.feed(line.substr(line.size() / 2), sink);
    }
  }
  parser.feed("data: a\ndata: b\n\n", sink);
  EXPECT_EQ(sink.known, std::string(600, 'y') + std::string(2401, 'n'));
}

TEST_F(ParserTest, StopsWhereTheSinkWantsNoMore) {
  struct One : StepRecorder {
    bool on_event(const Event& event) override {
      StepRecorder::on_event(event);
      return false;
    }
  } sink;
  EXPECT_EQ(parser_.feed("data: a\n\ndata: b\n\n", sink), ParseResult::stopped);
  EXPECT_EQ(parser_.feed("data: c\n\n", sink), ParseResult::stopped);
  EXPECT_EQ(sink.steps, Steps{"event message|a|"});
}

TEST_F(ParserTest, TakesAnEventOfExactlyTheLimit) {
  EXPECT_EQ(feed("data: " + std::string(100, 'x') + "\n\n"), ParseResult::more);
  EXPECT_EQ(feed_bytes("data: " + std::string(100, 'y') + "\n\n"), ParseResult::more);
  EXPECT_EQ(sink_.steps.size(), 2u);
}

TEST_F(ParserTest, CountsNoByteOrderMark) {
  const std::string line = "\xEF\xBB\xBF: " + std::string(114, 'x') + "\n";
  EXPECT_EQ(feed_bytes(line), ParseResult::more);
  EXPECT_EQ(EventParser(100).feed(line, sink_), ParseResult::more);
}

TEST_F(ParserTest, RefusesAnEventOverTheLimit) {
  EXPECT_EQ(feed("data: " + std::string(101, 'x') + "\n\n"), ParseResult::too_big);
  parser_.restart();
  EXPECT_EQ(feed_bytes("data: " + std::string(101, 'x') + "\n\n"), ParseResult::too_big);
  EXPECT_TRUE(sink_.steps.empty());
  EXPECT_EQ(parser_.too_big_reason(), "an event is larger than 100 (--max-event)");
}

TEST_F(ParserTest, CountsLinesTypeAndIdTogether) {
  EXPECT_EQ(feed("event: " + std::string(40, 't') + "\nid: " + std::string(30, 'i') +
                 "\ndata: " + std::string(31, 'x') + "\n\n"),
            ParseResult::too_big);
  parser_.restart();
  EXPECT_EQ(feed("data: " + std::string(50, 'x') + "\ndata: " + std::string(50, 'x') + "\n\n"),
            ParseResult::too_big);
}

TEST_F(ParserTest, CountsWhatReplacementMakesOfInvalidBytes) {
  EXPECT_EQ(feed("data: " + std::string(33, '\xFF') + "\n\n"), ParseResult::more);
  EXPECT_EQ(feed("data: " + std::string(34, '\xFF') + "\n\n"), ParseResult::too_big);
}

TEST_F(ParserTest, DeliversWhatCameBeforeTheEventThatIsTooBig) {
  EXPECT_EQ(feed("data: a\n\ndata: " + std::string(200, 'x')), ParseResult::too_big);
  EXPECT_EQ(feed("\n\ndata: b\n\n"), ParseResult::too_big);
  EXPECT_EQ(sink_.steps, Steps{"event message|a|"});
}

TEST_F(ParserTest, CommentsWithoutEndHoldNoMemory) {
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(feed(": keep-alive\nfoo: bar\n"), ParseResult::more);
  EXPECT_LT(parser_.held(), 500u);
}

TEST_F(ParserTest, AnEndlessLineHoldsNoMoreThanTwiceTheLimit) {
  EventParser parser(1 << 20);
  const std::string piece(1000, 'x');
  ParseResult result = ParseResult::more;
  for (int i = 0; i < 10000 && result == ParseResult::more; ++i) result = parser.feed(piece, sink_);
  EXPECT_EQ(result, ParseResult::too_big);
  EXPECT_LT(parser.held(), 2200000u);
}

TEST_F(ParserTest, GivesMemoryBackAfterALargeEvent) {
  EventParser parser(16 << 20);
  parser.feed("data: ", sink_);
  for (int i = 0; i < 2000; ++i) parser.feed(std::string(4096, 'x'), sink_);
  EXPECT_GT(parser.held(), 8000000u);
  parser.feed("\n\n", sink_);
  EXPECT_EQ(sink_.steps.size(), 1u);
  EXPECT_LT(parser.held(), 1000u);
}

TEST_F(ParserTest, ReportsLifeForHalvesOfLines) {
  feed(": ke");
  EXPECT_EQ(parser_.bytes(), 4u);
}

}  // namespace
}  // namespace netkit::sse
