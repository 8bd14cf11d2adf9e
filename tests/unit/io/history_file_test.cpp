#include "io/prompt.hpp"
#include "support/temp_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <gtest/gtest.h>

namespace netkit {
namespace {

class HistoryFileTest : public testing::Test {
 protected:
  HistoryFileTest() { ::setenv("XDG_STATE_HOME", (folder_ / "state").c_str(), 1); }
  ~HistoryFileTest() override { ::unsetenv("XDG_STATE_HOME"); }
  test::TempFolder folder_;
};

TEST_F(HistoryFileTest, KeepsLinesAcrossRuns) {
  HistoryFile("chat").append("one");
  HistoryFile("chat").append("two words");
  EXPECT_EQ(HistoryFile("chat").load(), (std::vector<std::string>{"one", "two words"}));
  EXPECT_TRUE(HistoryFile("other").load().empty());
  EXPECT_EQ(folder_.read("state/netkit/chat"), "one\ntwo words\n");
}

TEST_F(HistoryFileTest, IsPrivate) {
  HistoryFile history("chat");
  history.append("x");
  struct stat info = {};
  ASSERT_EQ(::stat(history.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((folder_ / "state/netkit").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(HistoryFileTest, MakesAnOlderFilePrivate) {
  HistoryFile history("chat");
  history.append("x");
  ASSERT_EQ(::chmod(history.path().c_str(), 0644), 0);
  history.append("y");
  struct stat info = {};
  ASSERT_EQ(::stat(history.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(HistoryFile("chat").load(), (std::vector<std::string>{"x", "y"}));
}

TEST_F(HistoryFileTest, WaitsForNobodyAtTheOtherEndOfANamedPipe) {
  HistoryFile("chat").append("makes the folder");
  HistoryFile history("pipe");
  ASSERT_EQ(::mkfifo(history.path().c_str(), 0600), 0);
  EXPECT_TRUE(history.load().empty());
  history.append("x");
}

TEST_F(HistoryFileTest, LeavesOutWhatIsNotToBeKept) {
  HistoryFile history("chat");
  for (const char* line : {"", " secret", "\tsecret", "kept", "kept", "two\nlines"}) {
    history.append(line);
  }
  EXPECT_EQ(HistoryFile("chat").load(), (std::vector<std::string>{"kept"}));
}

TEST_F(HistoryFileTest, KnowsTheLastLineOfAnEarlierRun) {
  HistoryFile("chat").append("kept");
  HistoryFile history("chat");
  history.load();
  EXPECT_FALSE(history.wants("kept"));
  EXPECT_TRUE(history.wants("other"));
}

TEST_F(HistoryFileTest, IsCutDownWhenItIsLarge) {
  HistoryFile history("chat");
  const std::string line(100, 'x');
  for (int i = 0; i < 4000; ++i) history.append(line + std::to_string(i));
  EXPECT_LE(std::filesystem::file_size(history.path()), HistoryFile::kMaxSize + 200);
  const auto lines = HistoryFile("chat").load();
  EXPECT_EQ(lines.size(), HistoryFile::kKept);
  EXPECT_EQ(lines.back(), line + "3999");
}

TEST_F(HistoryFileTest, KeepsNothingWithoutANameOrAHome) {
  HistoryFile("").append("x");
  ::setenv("XDG_STATE_HOME", "relative", 1);
  ::setenv("HOME", (folder_ / "home").c_str(), 1);
  EXPECT_EQ(HistoryFile("chat").path(), folder_ / "home/.local/state/netkit/chat");
  ::unsetenv("HOME");
  EXPECT_EQ(HistoryFile("chat").path(), "");
  HistoryFile("chat").append("x");
}

}  // namespace
}  // namespace netkit
