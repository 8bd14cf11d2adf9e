#include <sse/json_scan.hpp>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace netkit::sse::json {
namespace {

using Skip = const char* (*)(const char* at, const char* end);

// What is left behind the word, or "none".
std::string rest(Skip skip, std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* const at = skip(text.data(), end);
  return at == nullptr ? "none" : std::string(at, end);
}

std::string value(const std::string& text) {
  String string;
  std::string room;
  const char* const end = text.data() + text.size();
  return take_string(text.data(), end, string) == end ? std::string(string.value(room)) : "none";
}

TEST(JsonScan, KnowsNumbers) {
  for (const char* text : {"0", "-0", "7", "120", "0.5", "-1.50e3", "1E+2", "1e-10"}) {
    EXPECT_EQ(rest(skip_number, text), "") << text;
    EXPECT_EQ(rest(skip_number, text + std::string(",x")), ",x") << text;
  }
  for (const char* text : {"-", "-x", "1.", "1.x", "1e", "1e+", "1ex", ".5"}) {
    EXPECT_EQ(rest(skip_number, text), "none") << text;
  }
  EXPECT_EQ(rest(skip_number, "01"), "1");
}

TEST(JsonScan, KnowsNames) {
  EXPECT_EQ(rest(skip_name, "true]"), "]");
  EXPECT_EQ(rest(skip_name, "null"), "");
  for (const char* text : {"nul", "TRUE", "x"}) EXPECT_EQ(rest(skip_name, text), "none") << text;
}

TEST(JsonScan, SaysWhatAStringSays) {
  EXPECT_EQ(value(R"("")"), "");
  EXPECT_EQ(value(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(value(R"("\u0041\u00e9\u20AC\ud83d\ude00")"), "A\u00e9\u20ac\U0001F600");
  EXPECT_EQ(value("\"\xff\x80\u2028\x7f\""), "\xff\x80\u2028\x7f");
}

TEST(JsonScan, RefusesWhatIsNoString) {
  for (const char* text : {R"(")", R"("a)", R"("\)", R"("\x")", R"("\u12")", R"("\u12g4")",
                           R"("\ud800")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\u0041")",
                           R"("\udc00")", "\"\n\"", "\"\x1f\""}) {
    EXPECT_EQ(value(text), "none") << text;
  }
}

// Eight bytes at a time, and what is left byte by byte.
TEST(JsonScan, FindsTheEndAtEveryOffset) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (const std::string_view filler : {"x", "\x7f", "\xff", "#", "!", "["}) {
      std::string body;
      for (std::size_t i = 0; i < before; ++i) body += filler;
      EXPECT_EQ(value('"' + body + '"'), body);
      EXPECT_EQ(value('"' + body + "\\n" + body + '"'), body + '\n' + body);
      EXPECT_EQ(value('"' + body + '\x01' + body + '"'), "none");
    }
  }
}

}  // namespace
}  // namespace netkit::sse::json
