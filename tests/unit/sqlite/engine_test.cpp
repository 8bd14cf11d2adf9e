#include "support/temp_folder.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <sqlite/engine.hpp>
#include <string>
#include <vector>

#include <Poco/Data/Session.h>
#include <gtest/gtest.h>

namespace netkit::sqlite {
namespace {

// Those of a sanitizer as well.
std::size_t count_threads() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

class Listener final : public store::Engine::Handler {
 public:
  std::vector<std::string> texts;
  std::vector<std::string> failures;
  std::vector<std::uint64_t> appended;
  std::vector<std::string> refused;
  std::size_t threads = 0;  // when all has been told
  std::function<void()> on_opened = [] {};

 private:
  void on_open(const store::State&) override { on_opened(); }
  void on_entries(std::span<const store::Entry> entries) override {
    for (const store::Entry& entry : entries) texts.push_back(entry.text);
  }
  void on_appended(std::uint64_t sequence) override { appended.push_back(sequence); }
  void on_refused(std::string_view why) override { refused.emplace_back(why); }
  void on_claimed(const std::string&, bool, const std::string&) override {}
  void on_last(std::span<const store::Entry>) override { threads = count_threads(); }
  void on_away() override {}
  void on_failed(ExitStatus, const std::string& error) override { failures.push_back(error); }
};

class SqliteEngineTest : public ::testing::Test {
 protected:
  void Open(const store::Settings& settings) {
    engine_.emplace(store::Surroundings{loop_, log_}, path_, settings, listener_);
    engine_->open();
  }
  // By another server; more than are read at once.
  void Fill(std::size_t count = 500) {
    Database other(path_, {.stream = "chat"});
    std::vector<store::Entry> entries(count);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = {.text = "hello", .writer = 2, .sequence = i + 1};
    }
    other.append(entries);
  }
  void OpenEmpty() {
    bool is_open = false;
    listener_.on_opened = [&is_open] { is_open = true; };
    Open({.stream = "chat", .writer = 1});
    ASSERT_TRUE(Wait([&] { return is_open; }));
    listener_.on_opened = [] {};
  }
  void Run(const std::string& statement) {
    Poco::Data::Session("SQLite", path_) << statement, Poco::Data::Keywords::now;
  }
  // Entries can be appended, and from this number on not be read.
  void MakeUnreadableFrom(int number) {
    Run("ALTER TABLE entry RENAME TO kept");
    Run("CREATE VIEW entry AS SELECT stream, number, iif(number < " + std::to_string(number) +
        ", time, abs(-9223372036854775807 - 1)) AS time, topic, text, fields, writer, sequence "
        "FROM kept");
    Run("CREATE TRIGGER appends INSTEAD OF INSERT ON entry BEGIN INSERT INTO kept VALUES("
        "NEW.stream, NEW.number, NEW.time, NEW.topic, NEW.text, NEW.fields, NEW.writer, "
        "NEW.sequence); END");
    Run("CREATE TRIGGER trims INSTEAD OF DELETE ON entry BEGIN SELECT 0; END");
  }
  void MakeReadable() {
    Run("DROP VIEW entry");
    Run("ALTER TABLE kept RENAME TO entry");
  }
  template <typename Done>
  bool Wait(Done done) {
    const TimePoint end = clock_.now() + std::chrono::seconds(10);
    while (!done() && clock_.now() < end) loop_.run_once(std::chrono::milliseconds(10));
    return done();
  }

  test::TempFolder folder_;
  const std::string path_ = folder_ / "a.db";
  SystemClock clock_;
  EventLoop loop_{clock_};
  const Log log_{"", LogLevel::error};
  Listener listener_;
  std::optional<SqliteEngine> engine_;
};

// Another server writes once, between what this one has read and its first turn.
TEST_F(SqliteEngineTest, HearsOfWhatCameWhileItWasOpened) {
  Open({.stream = "chat", .writer = 1});
  Database other(path_, {.stream = "chat"});
  const store::Entry entry{.text = "hello", .writer = 2, .sequence = 1};
  other.append({entry});
  EXPECT_TRUE(Wait([&] { return !listener_.texts.empty(); }));
  EXPECT_EQ(listener_.texts, std::vector<std::string>{"hello"});
}

// A server gives up rights then, which each thread has of its own.
TEST_F(SqliteEngineTest, MakesNoThreadBeforeItHasToldWhatThereIs) {
  Fill();
  const std::size_t before = count_threads();
  listener_.on_opened = [this] { engine_->read_last(); };
  Open({.stream = "chat", .keep_last = true, .newest = 500, .writer = 1});
  EXPECT_TRUE(Wait([&] { return listener_.threads != 0; }));
  EXPECT_EQ(listener_.threads, before);
  EXPECT_EQ(listener_.texts.size(), 500U);
}

TEST_F(SqliteEngineTest, FailsWhenItCannotReadOn) {
  Fill();
  Open({.stream = "chat", .newest = 500, .writer = 1});
  Run("DROP TABLE entry");
  EXPECT_TRUE(Wait([&] { return !listener_.failures.empty(); }));
  ASSERT_EQ(listener_.failures.size(), 1U);
  EXPECT_NE(listener_.failures.front().find("a.db': "), std::string::npos);
}

TEST_F(SqliteEngineTest, TellsAllWhereItCouldNotReadOnForAWhile) {
  OpenEmpty();
  MakeUnreadableFrom(300);
  Fill();
  EXPECT_TRUE(Wait([&] { return listener_.texts.size() == 200; }));
  MakeReadable();
  EXPECT_TRUE(Wait([&] { return listener_.texts.size() == 500; }));
}

// Who is told that it was refused says it again.
TEST_F(SqliteEngineTest, RefusesNothingThatItHasAppendedAndCannotRead) {
  OpenEmpty();
  MakeUnreadableFrom(1);
  Fill(1);
  const store::Entry own{.text = "own", .writer = 1, .sequence = 1};
  engine_->append({&own, 1});
  EXPECT_TRUE(Wait([&] { return !listener_.appended.empty() || !listener_.refused.empty(); }));
  EXPECT_EQ(listener_.refused, std::vector<std::string>{});
  MakeReadable();
  EXPECT_TRUE(Wait([&] { return listener_.texts.size() == 2; }));
}

}  // namespace
}  // namespace netkit::sqlite
