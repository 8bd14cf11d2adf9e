#include <sse/line_scan.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

constexpr std::size_t kLongest = 70;  // more than four blocks

struct Skipped {
  const char* end;
  bool high;
  bool operator==(const Skipped&) const = default;
};

Skipped by_blocks(const std::string& text) {
  bool high = false;
  const char* const end = line_scan::skip_line(text.data(), text.data() + text.size(), high);
  return {end, high};
}

Skipped by_bytes(const std::string& text) {
  bool high = false;
  const char* const end = line_scan::skip_line_bytes(text.data(), text.data() + text.size(), high);
  return {end, high};
}

TEST(LineScanTest, FindsTheEndAndHighBytesBeforeItWhereverTheyAre) {
  for (std::size_t end = 0; end < kLongest; ++end) {
    for (std::size_t high = 0; high < kLongest; ++high) {
      if (high == end) continue;
      std::string text(kLongest, 'a');
      text[high] = '\xC3';
      text[end] = end % 2 == 0 ? '\r' : '\n';
      const Skipped expected{text.data() + end, high < end};
      EXPECT_EQ(by_blocks(text), expected) << end << ' ' << high;
      EXPECT_EQ(by_bytes(text), expected) << end << ' ' << high;
    }
  }
}

TEST(LineScanTest, SaysWhatALineIsMadeOf) {
  const auto content = [](const std::string& text) {
    const LineScan scan = scan_line(text.data(), text.data() + text.size());
    EXPECT_EQ(scan.end - text.data(), static_cast<std::ptrdiff_t>(text.find('\n')));
    return scan.content;
  };
  const std::string words = "a line of some length, longer than a block";
  EXPECT_EQ(content(words + '\n'), LineContent::printable);
  EXPECT_EQ(content(words + "\x1B[2J\n\x80"), LineContent::ascii);
  EXPECT_EQ(content(words + "\xC3\xA4\n"), LineContent::any);
}

}  // namespace
}  // namespace netkit::sse
