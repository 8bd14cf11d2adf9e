#include "plugin/registry.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class SearchPathTest : public testing::Test {
 protected:
  SearchPathTest() {
    std::string pattern = (fs::temp_directory_path() / "netkit-search-XXXXXX").string();
    root_ = fs::canonical(::mkdtemp(pattern.data()));
  }
  ~SearchPathTest() override { fs::remove_all(root_); }

  fs::path folder(const std::string& name) {
    fs::create_directories(root_ / name);
    return root_ / name;
  }
  void executable(const fs::path& path) {
    std::ofstream(path) << "#!/bin/sh\n";
    fs::permissions(path, fs::perms::owner_all);
  }
  std::vector<fs::path> folders(const std::map<std::string, std::string>& environment,
                                std::vector<fs::path> named = {}) {
    return plugin_folders(
        {.named = std::move(named),
         .environment = [&environment](const std::string& name) -> std::optional<std::string> {
           const auto at = environment.find(name);
           if (at == environment.end()) return std::nullopt;
           return at->second;
         },
         .installed = folder("installed")});
  }
  fs::path root_;
};

TEST_F(SearchPathTest, GoesFromTheNamedToTheInstalled) {
  const fs::path named = folder("named"), a = folder("a"), b = folder("b");
  const fs::path data = folder("data/netkit/plugins/3");
  EXPECT_THAT(folders({{"NETKIT_PLUGIN_PATH", a.string() + ":" + b.string()},
                       {"XDG_DATA_HOME", (root_ / "data").string()}},
                      {named}),
              ElementsAre(named, a, b, data, root_ / "installed"));
}

TEST_F(SearchPathTest, HomeStandsInForXdgDataHome) {
  const fs::path data = folder("home/.local/share/netkit/plugins/3");
  EXPECT_THAT(folders({{"HOME", (root_ / "home").string()}}),
              ElementsAre(data, root_ / "installed"));
}

TEST_F(SearchPathTest, NeverTheCurrentFolder) {
  EXPECT_THAT(folders({{"NETKIT_PLUGIN_PATH", ":.:relative:"}, {"XDG_DATA_HOME", "."}}),
              ElementsAre(root_ / "installed"));
  EXPECT_THAT(external_commands(":.:relative:"), IsEmpty());
}

TEST_F(SearchPathTest, EachFolderOnce) {
  const fs::path a = folder("a");
  EXPECT_THAT(folders({{"NETKIT_PLUGIN_PATH", a.string() + ":" + a.string() + "/"}}, {a}),
              ElementsAre(a, root_ / "installed"));
}

TEST_F(SearchPathTest, ExternalCommandsAreExecutablesOnThePath) {
  const fs::path a = folder("a"), b = folder("b");
  executable(a / "netkit-two");
  executable(b / "netkit-two");
  executable(b / "netkit-one");
  executable(b / "netkit-Bad Name");
  std::ofstream(a / "netkit-data") << "x";
  folder("a/netkit-folder");
  const std::string path = a.string() + ":" + b.string();
  const auto found = external_commands(path);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, b / "netkit-one");
  EXPECT_EQ(found[1].path, a / "netkit-two");
  EXPECT_EQ(find_external_command(path, "two")->path, a / "netkit-two");
  EXPECT_FALSE(find_external_command(path, "data"));
  EXPECT_FALSE(find_external_command(path, "../a/netkit-two"));
}

TEST(CommandName, HasLettersDigitsAndDashes) {
  EXPECT_TRUE(is_command_name("echo"));
  EXPECT_TRUE(is_command_name("my-tool_2"));
  for (const char* bad : {"", "-x", "Echo", "a/b", "a b", "..", "ä"})
    EXPECT_FALSE(is_command_name(bad));
  EXPECT_FALSE(is_command_name(std::string(32, 'a')));
}

}  // namespace
}  // namespace netkit
