#include "util/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kLongest = 300;  // more than two of the widest steps

std::string printable_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(' ' + i % 95);
  return text;
}

TEST(PrintableTest, KnowsWhatIsPrintable) {
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(is_printable(static_cast<char>(byte)), byte >= 0x20 && byte <= 0x7E) << byte;
  }
}

TEST(PrintableTest, EveryWayFindsTheFirstOtherByteWhereverItIs) {
  ASSERT_FALSE(ways_to_skip_printable().empty());
  for (const SkipPrintable skip : ways_to_skip_printable()) {
    std::string text = printable_text(kLongest);
    for (std::size_t at = 0; at < kLongest; ++at) {
      const char before = text[at];
      for (const char other : {'\0', '\x1F', '\n', '\x7F', '\x80', '\xFF'}) {
        text[at] = other;
        EXPECT_EQ(skip(text.data(), text.data() + kLongest), text.data() + at);
        EXPECT_EQ(skip(text.data() + at / 2, text.data() + at + 1), text.data() + at);
      }
      text[at] = before;
    }
  }
}

TEST(PrintableTest, EveryWayStopsAtTheEndAndReadsNothingBehindIt) {
  for (const SkipPrintable skip : ways_to_skip_printable()) {
    for (std::size_t size = 0; size < kLongest; ++size) {
      const std::string text = printable_text(size) + '\n';
      EXPECT_EQ(skip(text.data(), text.data() + size), text.data() + size);
    }
  }
}

}  // namespace
}  // namespace netkit
