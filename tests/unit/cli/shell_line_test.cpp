#include "cli/shell_line.hpp"

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using Words = std::vector<std::string>;

Words words(std::string_view line) {
  return parse_shell_line(line).at(0).commands.at(0).words;
}

TEST(ShellLine, PartsWordsAtBlanks) {
  EXPECT_EQ(words("  echo\tserve  :7 "), (Words{"echo", "serve", ":7"}));
}

TEST(ShellLine, TakesQuotesAndBackslashesAway) {
  EXPECT_EQ(words(R"(send 'a "b' "c\"d\e" f\ g '')"),
            (Words{"send", "a \"b", "c\"d\\e", "f g", ""}));
}

TEST(ShellLine, ACommentEndsTheLine) {
  EXPECT_TRUE(parse_shell_line("# nothing").empty());
  EXPECT_EQ(words("echo a#b # c"), (Words{"echo", "a#b"}));
}

TEST(ShellLine, PipesJoinCommands) {
  const auto line = parse_shell_line("plugins --json|jq .");
  ASSERT_EQ(line.size(), 1u);
  ASSERT_EQ(line[0].commands.size(), 2u);
  EXPECT_EQ(line[0].commands[1].words, (Words{"jq", "."}));
}

TEST(ShellLine, BackgroundAndSemicolonEndPipelines) {
  const auto line = parse_shell_line("echo serve & version; plugins");
  ASSERT_EQ(line.size(), 3u);
  EXPECT_TRUE(line[0].background);
  EXPECT_EQ(line[0].text, "echo serve");
  EXPECT_FALSE(line[2].background);
}

TEST(ShellLine, ReadsRedirections) {
  const auto line = parse_shell_line("a <in >out 2>>err");
  const auto& all = line[0].commands[0].redirections;
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].file, "in");
  EXPECT_EQ(all[2].fd, 2);
  EXPECT_TRUE(all[2].append);
}

TEST(ShellLine, RefusesWhatIsNotWhole) {
  for (const char* line : {"a |", "| a", "&", "; a", "a >", "a > | b", "'a", "\"a", "> x"}) {
    EXPECT_THROW(parse_shell_line(line), UsageError) << line;
  }
}

TEST(ShellLine, QuotedWordsAreReadBack) {
  for (const char* word : {"", "a", "a b", "it's", "#x", "a|b"}) {
    EXPECT_EQ(words("x " + quoted_word(word)).back(), word);
  }
}

TEST(ShellLine, CompletesTheCommandUnderWay) {
  EXPECT_EQ(open_command("a | echo se").words, (Words{"echo", "se"}));
  EXPECT_EQ(open_command("echo ").words, (Words{"echo", ""}));
  EXPECT_EQ(open_command("echo s").start, 5u);
}

TEST(ShellLine, KnowsTheFileOfARedirection) {
  EXPECT_TRUE(open_command("version > ou").is_file);
  EXPECT_EQ(open_command("version > ou").words, Words{"ou"});
  EXPECT_EQ(open_command("version >").words, Words{""});
  EXPECT_FALSE(open_command("version 2>&1 --h").is_file);
  EXPECT_FALSE(open_command("version > out --h").is_file);
  EXPECT_EQ(open_command("version > out --h").words, (Words{"version", "--h"}));
}

}  // namespace
}  // namespace netkit
