#include <frame/rule.hpp>
#include <string>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::frame {
namespace {

std::string answer(std::string_view rule, std::string_view body) {
  return Rule::parse(rule).answer(body, WallTime()).value_or("none");
}

bool matches(std::string_view pattern, std::string_view body) {
  return Pattern::parse(pattern, "--expect").match(body).has_value();
}

TEST(Pattern, OfBytesIsTheWholeBody) {
  EXPECT_TRUE(matches("hex:61??63", "abc"));
  EXPECT_TRUE(matches("hex:61 ?? 63", std::string_view("a\0c", 3)));
  EXPECT_FALSE(matches("hex:61??63", "abcd"));
  EXPECT_FALSE(matches("hex:61??63", "ab"));
  EXPECT_TRUE(matches("hex:", ""));
}

TEST(Pattern, OfTextIsTheWholeBody) {
  EXPECT_TRUE(matches("ab", "ab"));
  EXPECT_FALSE(matches("ab", "abc"));
  EXPECT_TRUE(matches("/", "/"));
}

TEST(Pattern, OfARegexIsSearchedFor) {
  EXPECT_TRUE(matches("/b+/", "abbc"));
  EXPECT_FALSE(matches("/^b/", "abbc"));
  EXPECT_TRUE(matches("/a{2},12345678901\\{1/", "aa,12345678901{1"));
  EXPECT_FALSE(matches("/x$/", std::string(Pattern::kMostSearched, 'y') + "x"));
}

TEST(Pattern, ALongBodyIsNoDanger) {
  EXPECT_FALSE(matches("/(a*)*b/", std::string(200, 'a')));
  EXPECT_TRUE(matches("/(.|\n)*/", std::string(1U << 20U, 'a')));
}

TEST(Rule, AnswersWithGroups) {
  EXPECT_EQ(answer("hex:61??63?? => {2}{1}{0}", "abcd"), "dbabcd");
  EXPECT_EQ(answer("/(\\w)(\\d)/ => hex:{2}00{1}ff", "x7"), std::string("7\0x\xff", 4));
  EXPECT_EQ(answer("a => \\x00{{}", "a"), std::string("\0{}", 3));
  EXPECT_EQ(answer("a => b", "b"), "none");
  EXPECT_EQ(answer("a => b => c", "a"), "b => c");
}

TEST(Rule, SaysWhatIsWrong) {
  for (const char* text : {"", "a", "a=>b", " => b", "hex:6 => b", "hex:?6 => b", "/[/ => b",
                           "/a{92233720368547758081}/ => b", "/a{1,92233720368547758081}/ => b",
                           "/(a)\\92233720368547758081/ => b", "a => {1}", "hex:?? => {2}",
                           "a => hex:6", "a => hex:{1}", "a => {"}) {
    EXPECT_THROW(Rule::parse(text), UsageError) << text;
  }
}

}  // namespace
}  // namespace netkit::frame
