#include "cli/option_set.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit {
namespace {

std::vector<std::string> names(std::span<const OptionDef> options) {
  std::vector<std::string> out;
  for (const OptionDef& option : options) out.emplace_back(option.name);
  return out;
}

TEST(EffectiveOptions, AreTheOwnOnesThenTheCommonOnesThatFit) {
  ActionDef action;
  action.common = kCountOption;
  action.options = {{.name = "udp"}};
  const OptionSet set = effective_options(action);
  EXPECT_THAT(names(set.own()), testing::ElementsAre("udp"));
  EXPECT_THAT(names(set.common()), testing::ElementsAre("count", "timeout", "stats", "quiet",
                                                        "verbose", "color", "config", "help"));
}

TEST(EffectiveOptions, AnOwnOneReplacesTheCommonOneAndInheritsItsLetterAndHelp) {
  ActionDef action;
  action.common = kCountOption;
  action.options = {{.name = "count", .kind = ValueKind::integer, .default_value = "4"}};
  const OptionSet set = effective_options(action);
  EXPECT_EQ(set.by_letter('c'), set.by_name("count"));
  EXPECT_EQ(set.by_name("count")->default_value, "4");
  EXPECT_EQ(set.by_name("count")->help, "stop after N");
  EXPECT_EQ(set.own().size(), 1U);
}

TEST(EffectiveOptions, AnOwnOneInheritsTheKindAndTheRange) {
  ActionDef action;
  action.common = kCountOption;
  action.options = {{.name = "count", .max = 9}};
  const OptionSet set = effective_options(action);
  EXPECT_EQ(set.by_name("count")->kind, ValueKind::integer);
  EXPECT_EQ(set.by_name("count")->min, 1);
  EXPECT_EQ(set.by_name("count")->max, 9);
}

TEST(EffectiveOptions, AnOwnLetterIsTakenFromTheCommonOption) {
  ActionDef action;
  action.options = {{.name = "quick", .letter = 'q'}};
  const OptionSet set = effective_options(action);
  EXPECT_EQ(set.by_letter('q')->name, "quick");
  EXPECT_EQ(set.by_name("quiet")->letter, 0);
}

TEST(CommonOptions, HaveNamesAndLettersOnce) {
  std::set<std::string_view> seen;
  std::set<char> letters;
  for (const CommonOption& common : common_options()) {
    EXPECT_TRUE(seen.insert(common.option.name).second) << common.option.name;
    EXPECT_FALSE(common.option.help.empty()) << common.option.name;
    if (common.option.letter == 0) continue;
    EXPECT_TRUE(letters.insert(common.option.letter).second) << common.option.letter;
  }
}

TEST(ValueName, IsTheKindsOrTheChoices) {
  EXPECT_EQ(value_name({.name = "x", .kind = ValueKind::duration}), "D");
  EXPECT_EQ(value_name({.name = "x", .kind = ValueKind::choice, .choices = {"a", "b"}}), "a|b");
  EXPECT_EQ(value_name({.name = "x", .kind = ValueKind::count_or_word, .choices = {"all"}}),
            "all|N");
  EXPECT_EQ(value_name({.name = "x", .kind = ValueKind::text, .value_name = "NAME"}), "NAME");
  EXPECT_EQ(value_name({.name = "x"}), "");
}

}  // namespace
}  // namespace netkit
