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
  std::size_t threads = 0;  // when all has been told
  std::function<void()> on_opened = [] {};

 private:
  void on_open(const store::State&) override { on_opened(); }
  void on_entries(std::span<const store::Entry> entries) override {
    for (const store::Entry& entry : entries) texts.push_back(entry.text);
  }
  void on_appended(std::uint64_t) override {}
  void on_refused(std::string_view) override {}
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
  // More than are read at once.
  void Fill() {
    Database before(path_, {.stream = "chat"});
    std::vector<store::Entry> entries(500);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i] = {.text = "hello", .writer = 2, .sequence = i + 1};
    }
    before.append(entries);
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
  Poco::Data::Session("SQLite", path_) << "DROP TABLE entry", Poco::Data::Keywords::now;
  EXPECT_TRUE(Wait([&] { return !listener_.failures.empty(); }));
  ASSERT_EQ(listener_.failures.size(), 1U);
  EXPECT_NE(listener_.failures.front().find("a.db': "), std::string::npos);
}

}  // namespace
}  // namespace netkit::sqlite
