#include "cli/help.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string wrapped(std::string_view text, std::size_t indent, std::size_t at = 0) {
  HelpText out;
  out += std::string(at, '>');
  append_wrapped(out, text, indent, at);
  return out.text();
}

std::vector<ActionDef> actions() {
  ActionDef serve{.name = "serve", .summary = "answers", .arguments = {{.name = "ADDRESS"}}};
  serve.options = {{.name = "reply",
                    .kind = ValueKind::text,
                    .value_name = "T",
                    .default_value = "{text}",
                    .help = "answer with T"},
                   {.name = "a-name-that-is-far-too-long",
                    .help = "a flag",
                    .needs = {"reply"},
                    .excludes = {"json", "raw"}},
                   {.name = "web",
                    .kind = ValueKind::text,
                    .value_name = "[=ADDRESS]",
                    .help = "a page",
                    .choices = {""}}};
  serve.totals = {{"received", "datagrams received"}};
  serve.examples = {{"netkit echo serve :7", "answers on port 7"}};
  serve.records = {{.type = "datagram", .help = "one each", .fields = {{"proto", "udp"}}}};
  ActionDef send{.name = "send", .summary = "asks"};
  return {serve, send};
}

TEST(Wrapping, BreaksAtSpacesWithin80Columns) {
  const std::string text = wrapped(std::string(300, 'x').replace(100, 1, " "), 4);
  EXPECT_EQ(text.substr(0, 5), "    x");
  std::istringstream in(
      wrapped("one two three four five six seven eight nine ten eleven twelve "
              "thirteen fourteen fifteen sixteen seventeen",
              6));
  for (std::string line; std::getline(in, line);) {
    EXPECT_LE(line.size(), 80U);
    EXPECT_THAT(line, testing::StartsWith("      "));
  }
}

TEST(Wrapping, ContinuesALineAndKeepsParagraphs) {
  EXPECT_EQ(wrapped("a b", 4, 2), ">>  a b\n");
  EXPECT_EQ(wrapped("a\n\nb", 2), "  a\n\n  b\n");
  EXPECT_EQ(columns("é…"), 2U);
}

TEST(ActionHelp, HasExamplesFirstThenArgumentsOptionsAndRecords) {
  const std::string help = action_help("echo", actions().front());
  std::size_t at = 0;
  for (const char* part :
       {"netkit echo serve - answers\n\n", "Usage: netkit echo serve [OPTIONS] ADDRESS\n",
        "Examples:\n", "  netkit echo serve :7\n", "Options:\n",
        "      --reply T           answer with T [{text}]\n",
        "      --a-name-that-is-far-too-long\n                          a flag (needs --reply) "
        "(not with --json, --raw)\n",
        "      --web[=ADDRESS]     a page\n",
        "Common options ('netkit help common' explains them):\n", " -h/--help", "  datagram",
        "fields: proto", "\nTotals, in the report of --stats:\n",
        "  received                datagrams received\n"}) {
    const std::size_t found = help.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << "\n" << help;
    at = found;
  }
}

TEST(ActionHelp, SaysWhereTheTotalsAre) {
  ActionDef action = actions().front();
  action.common = kOutputOptions;
  EXPECT_THAT(action_help("echo", action), HasSubstr("\nTotals, in the \"end\" record:\n"));
  action.common |= kServerOptions;
  EXPECT_THAT(action_help("echo", action),
              HasSubstr("\nTotals, in the \"end\" record and by --metrics:\n"));
}

TEST(ActionHelp, TheBriefOneHasTwoExamplesAndTheOwnOptions) {
  const std::string help = brief_action_help("echo", actions().front());
  EXPECT_THAT(help, testing::StartsWith("netkit echo serve - answers\nUsage: netkit echo serve"));
  EXPECT_THAT(help, HasSubstr("  netkit echo serve :7\n"));
  EXPECT_THAT(help, HasSubstr("--reply T"));
  EXPECT_THAT(help, Not(HasSubstr("--timeout")));
}

TEST(ActionHelp, KeepsToANarrowWindow) {
  ActionDef action = actions().front();
  action.common = kOutputOptions | kServerOptions;
  for (const std::size_t width : {40U, 70U}) {
    for (const std::string& help :
         {action_help("echo", action, width), brief_action_help("echo", action, width),
          command_help("echo", "echoes", actions(), width), overview({}, {}, {}, width),
          brief_overview({}, width), help_topics().front().text(width)}) {
      std::istringstream in(help);
      for (std::string line; std::getline(in, line);) {
        const bool is_example = line.starts_with("  netkit ");
        EXPECT_TRUE(is_example || columns(line) <= width) << line;
      }
    }
  }
}

TEST(CommandHelp, ListsActions) {
  const auto all = actions();
  const std::string help = command_help("echo", "echoes", all);
  EXPECT_THAT(help, HasSubstr("Usage: netkit echo ACTION"));
  EXPECT_THAT(help, HasSubstr("  serve  answers\n  send   asks\n"));
  EXPECT_THAT(brief_command_help("echo", "echoes", all),
              HasSubstr("Usage: netkit echo serve [OPTIONS] ADDRESS\n       netkit echo send"));
}

TEST(CommandHelp, ShowsTheActionThatMayBeLeftOut) {
  auto all = actions();
  all.front().may_be_omitted = true;
  EXPECT_THAT(command_help("sse", "reads", all), HasSubstr("Usage: netkit sse [serve] [OPTIONS]"));
}

}  // namespace
}  // namespace netkit
