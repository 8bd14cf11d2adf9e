#include "util/environment.hpp"

#include <cstdlib>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string folder(UserFolder kind, const std::map<std::string, std::string>& variables) {
  return user_folder(kind, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

TEST(UserFolder, IsWhatItsVariableNames) {
  EXPECT_EQ(folder(UserFolder::config, {{"XDG_CONFIG_HOME", "/c"}, {"HOME", "/home/ann"}}), "/c");
  EXPECT_EQ(folder(UserFolder::data, {{"XDG_DATA_HOME", "/d"}}), "/d");
  EXPECT_EQ(folder(UserFolder::state, {{"XDG_STATE_HOME", "/s"}}), "/s");
}

TEST(UserFolder, IsBelowHomeWithoutAnAbsolutePath) {
  EXPECT_EQ(folder(UserFolder::config, {{"HOME", "/home/ann"}}), "/home/ann/.config");
  EXPECT_EQ(folder(UserFolder::data, {{"HOME", "/home/ann"}, {"XDG_DATA_HOME", ""}}),
            "/home/ann/.local/share");
  EXPECT_EQ(folder(UserFolder::state, {{"HOME", "/home/ann"}, {"XDG_STATE_HOME", "relative"}}),
            "/home/ann/.local/state");
}

TEST(UserFolder, IsNoneWithoutAHome) {
  EXPECT_EQ(folder(UserFolder::state, {}), "");
  EXPECT_EQ(folder(UserFolder::state, {{"HOME", "."}, {"XDG_STATE_HOME", "."}}), "");
}

TEST(AbsoluteFolders, LeaveOutAllOthers) {
  EXPECT_THAT(absolute_folders("/a:b::/c d:."), ElementsAre("/a", "/c d"));
  EXPECT_THAT(absolute_folders(""), IsEmpty());
}

TEST(EnvironmentVariable, MayBeEmptyOrMissing) {
  ::setenv("NETKIT_TEST_EMPTY", "", 1);
  EXPECT_EQ(environment_variable("NETKIT_TEST_EMPTY"), "");
  ::unsetenv("NETKIT_TEST_EMPTY");
  EXPECT_EQ(environment_variable("NETKIT_TEST_EMPTY"), std::nullopt);
}

}  // namespace
}  // namespace netkit
