#include "support/temp_folder.hpp"

#include <sqlite/database.hpp>
#include <string>
#include <sys/stat.h>

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/Session.h>
#include <gtest/gtest.h>

namespace netkit::sqlite {
namespace {

ExitStatus status_of(const std::string& path) {
  try {
    const Database database(path, {.stream = "chat"});
    return ExitStatus::done;
  } catch (const Error& error) {
    return error.status();
  }
}

TEST(Database, IsItsOwnersAlone) {
  const test::TempFolder folder;
  const Database database(folder / "a.db", {.stream = "chat"});
  struct stat info = {};
  ASSERT_EQ(::stat((folder / "a.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(Database, LeavesFilesOfOthersAlone) {
  const test::TempFolder folder;
  const std::string text = folder.write("text", "this is no database at all");
  EXPECT_EQ(status_of(text), ExitStatus::config);
  EXPECT_EQ(folder.read("text"), "this is no database at all");
  Poco::Data::SQLite::Connector::registerConnector();
  {
    Poco::Data::Session other("SQLite", folder / "other.db");
    other << "CREATE TABLE mine(x)", Poco::Data::Keywords::now;
  }
  EXPECT_EQ(status_of(folder / "other.db"), ExitStatus::config);
  EXPECT_EQ(status_of(folder / "missing/x.db"), ExitStatus::output);
  EXPECT_EQ(status_of(folder / "new.db"), ExitStatus::done);
  EXPECT_EQ(status_of(folder / "new.db"), ExitStatus::done);
}

TEST(Database, AnEmptyFileIsANewOne) {
  const test::TempFolder folder;
  EXPECT_EQ(status_of(folder.write("empty", "")), ExitStatus::done);
}

}  // namespace
}  // namespace netkit::sqlite
