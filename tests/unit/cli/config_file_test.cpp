#include "cli/config_file.hpp"

#include "support/refusal.hpp"

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

std::string value(const std::string& text, const std::string& key) {
  const ConfigFile file = ConfigFile::parse(text, "f");
  for (const ConfigEntry& entry : file.entries()) {
    if (entry.key == key) return entry.value;
  }
  return "(none)";
}

std::string refusal(const std::string& text) {
  return test::refusal([&] { ConfigFile::parse(text, "/etc/f"); }, ExitStatus::config);
}

std::vector<std::string> candidates(std::map<std::string, std::string> environment) {
  std::vector<std::string> out;
  const auto get = [&](const std::string& name) -> std::optional<std::string> {
    if (!environment.contains(name)) return std::nullopt;
    return environment[name];
  };
  for (const auto& path : config_candidates(get)) out.push_back(path.string());
  return out;
}

TEST(ConfigFile, WhiteSpaceAndCommentsAreLeftOut) {
  EXPECT_EQ(value("\n# c\n; c\n [echo] \n\t wait =  2s \r\n", "wait"), "2s");
  EXPECT_EQ(value("\xef\xbb\xbf[echo]\nwait=2s", "wait"), "2s");
}

TEST(ConfigFile, QuotesKeepWhiteSpaceAndHashesArePartOfValues) {
  EXPECT_EQ(value("[echo]\nreply = \" {text} \"\n", "reply"), " {text} ");
  EXPECT_EQ(value("[echo]\nreply = a # b = c\n", "reply"), "a # b = c");
  EXPECT_EQ(value("[echo]\nreply = \"\n", "reply"), "\"");
}

TEST(ConfigFile, AKeyAloneIsAFlagThatIsOn) {
  EXPECT_EQ(value("[echo]\njson\n", "json"), "true");
}

TEST(ConfigFile, MistakesNameFileAndLine) {
  EXPECT_EQ(refusal("wait = 2s\n"), "/etc/f:1: 'wait = 2s' comes before the first [COMMAND]");
  EXPECT_EQ(refusal("\n[echo\n"), "/etc/f:2: a section is written [COMMAND]");
  EXPECT_EQ(refusal("[]\n"), "/etc/f:1: a section is written [COMMAND]");
  EXPECT_EQ(refusal("[echo]\n= 3\n"), "/etc/f:2: a line is written OPTION = VALUE");
  EXPECT_EQ(refusal("[echo]\na = \xff\n"), "/etc/f:2: not UTF-8 text");
}

TEST(ConfigFile, AFileThatCannotBeReadIsAConfigurationError) {
  try {
    ConfigFile::read("/nonexistent/config");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read /nonexistent/config: no such file or directory");
    EXPECT_EQ(error.status(), ExitStatus::config);
  }
  EXPECT_THROW(ConfigFile::read("/"), Error);
}

TEST(ConfigFile, APipeIsReadToItsEnd) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  std::jthread writer([fd = pipe[1]] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // later than it is read
    EXPECT_EQ(write_all(fd, "[echo]\nwait = 2s\n"), 0);
    ::close(fd);
  });
  const ConfigFile file = ConfigFile::read("/dev/fd/" + std::to_string(pipe[0]));
  writer.join();
  ::close(pipe[0]);
  ASSERT_EQ(file.entries().size(), 1U);
  EXPECT_EQ(file.entries().front().value, "2s");
}

TEST(ConfigCandidates, FollowTheXdgVariables) {
  using testing::ElementsAre;
  EXPECT_THAT(candidates({{"HOME", "/home/ann"}}),
              ElementsAre("/home/ann/.config/netkit/config", "/etc/xdg/netkit/config"));
  EXPECT_THAT(
      candidates({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/c"}, {"XDG_CONFIG_DIRS", "/a:b:/d"}}),
      ElementsAre("/c/netkit/config", "/a/netkit/config", "/d/netkit/config"));
  EXPECT_THAT(candidates({{"XDG_CONFIG_HOME", "relative"}}), ElementsAre("/etc/xdg/netkit/config"));
  EXPECT_THAT(candidates({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "relative"}}),
              ElementsAre("/h/.config/netkit/config", "/etc/xdg/netkit/config"));
}

}  // namespace
}  // namespace netkit
