#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/codec/line_decoder.hpp>

namespace netkit {
namespace {

using Lines = std::vector<std::string>;

class LineDecoderTest : public testing::Test {
 protected:
  // Each line as text; `!` before one that is too long, `…` after one without LF.
  static std::string show(const Line& line) {
    if (line.too_long) return "!" + std::string(line.text);
    return std::string(line.text) + (line.terminated ? "" : "…");
  }
  void limit(std::size_t max_line) { decoder_ = LineDecoder(max_line); }
  // `|` cuts the input into pieces.
  Lines feed(std::string_view pieces) {
    Lines lines;
    while (true) {
      const std::size_t cut = pieces.find('|');
      decoder_.feed(pieces.substr(0, cut), [&](const Line& line) { lines.push_back(show(line)); });
      if (cut == std::string_view::npos) return lines;
      pieces.remove_prefix(cut + 1);
    }
  }
  Lines finish() {
    Lines lines;
    decoder_.finish([&](const Line& line) { lines.push_back(show(line)); });
    return lines;
  }

  LineDecoder decoder_{64};
};

TEST_F(LineDecoderTest, SplitsAtLf) {
  EXPECT_EQ(feed("one\ntwo\n\nthree\n"), (Lines{"one", "two", "", "three"}));
}

TEST_F(LineDecoderTest, TakesCrOnlyDirectlyBeforeLf) {
  EXPECT_EQ(feed("a\r\nb\rc\r\n\r\r\n"), (Lines{"a", "b\rc", "\r"}));
  EXPECT_EQ(feed("a\r|\nb\r|c\n|\r|\n"), (Lines{"a", "b\rc", ""}));
}

TEST_F(LineDecoderTest, KeepsAnUnfinishedLineUntilItsEnd) {
  EXPECT_EQ(feed("he|ll|o"), Lines{});
  EXPECT_EQ(decoder_.pending(), 5U);
  EXPECT_EQ(feed(" you\n"), Lines{"hello you"});
  EXPECT_EQ(decoder_.pending(), 0U);
}

TEST_F(LineDecoderTest, HandsOutALastLineWithoutLf) {
  EXPECT_EQ(feed("one\ntwo"), Lines{"one"});
  EXPECT_EQ(finish(), Lines{"two…"});
  EXPECT_EQ(finish(), Lines{});
}

TEST_F(LineDecoderTest, NulAndOtherBytesAreData) {
  const std::string input("a\0b\xff\n", 5);
  EXPECT_EQ(feed(input), Lines{std::string("a\0b\xff", 4)});
}

TEST_F(LineDecoderTest, TheLimitDoesNotCountTheEnd) {
  limit(3);
  EXPECT_EQ(feed("abc\nabc\r\nab|c\r|\n"), (Lines{"abc", "abc", "abc"}));
  EXPECT_EQ(decoder_.too_long(), 0U);
}

TEST_F(LineDecoderTest, SaysAtOnceThatALineIsTooLong) {
  limit(3);
  EXPECT_EQ(feed("abcd"), Lines{"!abc"});
  EXPECT_EQ(feed("efgh|ij\nok\n"), Lines{"ok"});
  EXPECT_EQ(decoder_.too_long(), 1U);
  EXPECT_EQ(decoder_.lines(), 2U);
}

TEST_F(LineDecoderTest, OneThatEndsWhileTooLongSkipsNothingElse) {
  limit(3);
  EXPECT_EQ(feed("abcdef\nok\nab|cdef\nok\n"), (Lines{"!abc", "ok", "!abc", "ok"}));
}

TEST_F(LineDecoderTest, EverySplitEqualsFeedingAtOnce) {
  const std::string input = "a\r\n\nabcd\r\nabcde\n\r\r\nabc\rd\nabcdefgh\r\n\r\nabcd\r";
  for (std::size_t max_line = 1; max_line < 10; ++max_line) {
    limit(max_line);
    Lines whole = feed(input);
    for (const std::string& line : finish()) whole.push_back(line);
    for (std::size_t i = 0; i <= input.size(); ++i) {
      limit(max_line);
      std::string pieces = input;
      pieces.insert(i, "|");
      Lines lines = feed(pieces);
      for (const std::string& line : finish()) lines.push_back(line);
      EXPECT_EQ(lines, whole) << "limit " << max_line << ", split at " << i;
    }
  }
}

TEST_F(LineDecoderTest, WholeLinesAreViewsIntoTheInput) {
  const std::string input = "first\nsecond\n";
  std::vector<const char*> begins;
  decoder_.feed(input, [&](const Line& line) { begins.push_back(line.text.data()); });
  EXPECT_EQ(begins, (std::vector<const char*>{input.data(), input.data() + 6}));
}

TEST_F(LineDecoderTest, ASinkCanStopAndGoOnLater) {
  const std::string input = "one\ntwo\nthree\n";
  Lines lines;
  const auto one_at_a_time = [&](const Line& line) {
    lines.emplace_back(line.text);
    return false;
  };
  EXPECT_EQ(decoder_.feed(input, one_at_a_time), 4U);
  EXPECT_EQ(decoder_.feed(input.substr(4), one_at_a_time), 4U);
  EXPECT_EQ(lines, (Lines{"one", "two"}));
}

TEST_F(LineDecoderTest, StoppingAtALineThatIsTooLongLosesNothing) {
  limit(3);
  feed("ab");
  const std::string input = "cdef\nok\n";
  const std::size_t taken = decoder_.feed(input, [](const Line&) { return false; });
  EXPECT_EQ(feed(input.substr(taken)), Lines{"ok"});
}

}  // namespace
}  // namespace netkit
