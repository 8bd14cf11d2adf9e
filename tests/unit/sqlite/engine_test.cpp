#include "support/temp_folder.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
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

// Another server writes once, between what this one has read and its first turn.
TEST(SqliteEngine, HearsOfWhatCameWhileItWasOpened) {
  const test::TempFolder folder;
  const SystemClock clock;
  EventLoop loop(clock);
  const Log log("", LogLevel::error);
  Listener listener;
  SqliteEngine engine({loop, log}, folder / "a.db", {.stream = "chat", .writer = 1}, listener);
  engine.open();
  Database other(folder / "a.db", {.stream = "chat"});
  const store::Entry entry{.text = "hello", .writer = 2, .sequence = 1};
  other.append({entry});
  const TimePoint end = clock.now() + std::chrono::seconds(10);
  while (listener.texts.empty() && clock.now() < end) loop.run_once(std::chrono::milliseconds(10));
  EXPECT_EQ(listener.texts, std::vector<std::string>{"hello"});
}

// More than are read at once.
void fill(const std::string& path) {
  Database before(path, {.stream = "chat"});
  std::vector<store::Entry> entries(500);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = {.text = "hello", .writer = 2, .sequence = i + 1};
  }
  before.append(entries);
}

// A server gives up rights then, which each thread has of its own.
TEST(SqliteEngine, MakesNoThreadBeforeItHasToldWhatThereIs) {
  const test::TempFolder folder;
  const SystemClock clock;
  EventLoop loop(clock);
  const Log log("", LogLevel::error);
  fill(folder / "a.db");
  const std::size_t before = count_threads();
  Listener listener;
  SqliteEngine engine({loop, log}, folder / "a.db",
                      {.stream = "chat", .keep_last = true, .newest = 500, .writer = 1}, listener);
  listener.on_opened = [&engine] { engine.read_last(); };
  engine.open();
  const TimePoint end = clock.now() + std::chrono::seconds(10);
  while (listener.threads == 0 && clock.now() < end) loop.run_once(std::chrono::milliseconds(10));
  EXPECT_EQ(listener.threads, before);
  EXPECT_EQ(listener.texts.size(), 500U);
}

TEST(SqliteEngine, FailsWhenItCannotReadOn) {
  const test::TempFolder folder;
  const SystemClock clock;
  EventLoop loop(clock);
  const Log log("", LogLevel::error);
  fill(folder / "a.db");
  Listener listener;
  SqliteEngine engine({loop, log}, folder / "a.db", {.stream = "chat", .newest = 500, .writer = 1},
                      listener);
  engine.open();
  Poco::Data::Session("SQLite", folder / "a.db") << "DROP TABLE entry", Poco::Data::Keywords::now;
  const TimePoint end = clock.now() + std::chrono::seconds(10);
  while (listener.failures.empty() && clock.now() < end) {
    loop.run_once(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(listener.failures.size(), 1U);
  EXPECT_NE(listener.failures.front().find("a.db': "), std::string::npos);
}

}  // namespace
}  // namespace netkit::sqlite
