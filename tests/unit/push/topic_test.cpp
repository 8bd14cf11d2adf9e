#include <push/topic.hpp>

#include <gtest/gtest.h>

namespace netkit::push {
namespace {

TEST(Topics, AreChosenAsMqttDoesIt) {
  for (const auto& [filter, topic] : {std::pair("a/b", "a/b"),
                                      {"a/+", "a/b"},
                                      {"+/b", "a/b"},
                                      {"+/+", "a/b"},
                                      {"a/+/c", "a/b/c"},
                                      {"#", ""},
                                      {"#", "a/b"},
                                      {"a/#", "a"},
                                      {"a/#", "a/b/c"},
                                      {"a/+/#", "a/b"},
                                      {"+", "a"},
                                      {"+/#", "a"},
                                      {"/+", "/a"},
                                      {"a//c", "a//c"},
                                      {"a/+/c", "a//c"},
                                      {"+", ""}}) {
    EXPECT_TRUE(matches(filter, topic)) << filter << " " << topic;
  }
  for (const auto& [filter, topic] : {std::pair("a/b", "a"),
                                      {"a", "a/b"},
                                      {"a/+", "a"},
                                      {"+", "a/b"},
                                      {"a/#", "ab"},
                                      {"a/+/c", "a/b/d"},
                                      {"a/+/c", "a/b/c/d"},
                                      {"a/b/#", "a"},
                                      {"+/+", "a"},
                                      {"a", "A"},
                                      {"+", "/a"},
                                      {"a/", "a"}}) {
    EXPECT_FALSE(matches(filter, topic)) << filter << " " << topic;
  }
}

TEST(Topics, HaveNoWildcardsThemselves) {
  for (const char* good : {"", "a", "a/b", "/", "a//b", "caf\xc3\xa9"}) {
    EXPECT_EQ(why_not_a_topic(good), "") << good;
  }
  for (const char* bad : {"a/+", "#", "a b", "a\n"}) EXPECT_NE(why_not_a_topic(bad), "") << bad;
  EXPECT_NE(why_not_a_topic(std::string(256, 'a')), "");
}

TEST(Topics, HaveNothingThatDoesNotShow) {
  for (const char* topic : {"a b", "a\u00A0b", "a\u200B", "a/\x7F"}) {
    EXPECT_EQ(why_not_a_topic(topic), "contains blanks, invisible or control characters") << topic;
    EXPECT_EQ(why_not_a_filter(topic), "contains blanks, invisible or control characters") << topic;
  }
}

TEST(Topics, WildcardsAreWholeLevels) {
  for (const char* good : {"#", "+", "a/+/b", "a/#", "+/#", "/#"}) {
    EXPECT_EQ(why_not_a_filter(good), "") << good;
  }
  for (const char* bad : {"", "a#", "a+/b", "#/a", "a/#/b", "a/b#"}) {
    EXPECT_NE(why_not_a_filter(bad), "") << bad;
  }
}

}  // namespace
}  // namespace netkit::push
