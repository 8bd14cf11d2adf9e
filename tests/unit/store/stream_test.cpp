#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/store/memory_store.hpp>
#include <netkit/store/stream.hpp>

namespace netkit::store {
namespace {

using Texts = std::vector<std::string>;

// What a stream tells, as lines.
class User final : private Stream::Handler {
 public:
  User(const Surroundings& around, const MakeEngine& make, const Stream::Options& options) {
    Stream::Handler& own = *this;
    stream = std::make_unique<Stream>(around, make, options, own);
    stream->open();
  }

  std::uint64_t say(const std::string& text, Wish wish = Wish::refuse) {
    return stream->append({.text = text}, wish);
  }
  Texts take() { return std::exchange(lines, {}); }

  Texts lines;
  std::uint64_t stored = 0;
  bool open = false;
  std::unique_ptr<Stream> stream;

 private:
  void on_store_open() override { open = true; }
  void on_entry(const Entry& entry, std::uint64_t ticket) override {
    lines.push_back(std::to_string(entry.number) + (ticket != 0 ? "! " : " ") + entry.text);
  }
  void on_lost_entries(std::uint64_t from, std::uint64_t to) override {
    lines.push_back("lost " + std::to_string(from) + " to " + std::to_string(to));
  }
  void on_stored(std::uint64_t ticket) override { stored = ticket; }
  void on_refused(std::uint64_t ticket, std::string_view why) override {
    lines.push_back("refused " + std::to_string(ticket) + ": " + std::string(why));
  }
  void on_name(const std::string& name, bool granted, const std::string&) override {
    lines.push_back(name + (granted ? " is ours" : " is not ours"));
  }
  void on_store_failed(ExitStatus, const std::string& error) override { lines.push_back(error); }
};

class StreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<User> user(std::size_t queue = 10000) {
    auto made = opening({.queue = queue});
    EXPECT_TRUE(wait([&] { return made->open; }));
    return made;
  }
  std::unique_ptr<User> opening(Stream::Options options) {
    options.settings.url = "memory:";
    options.settings.stream = "chat";
    options.settings.newest = 100;
    options.settings.writer = ++writers_;
    return std::make_unique<User>(around_, store_.maker(around_), options);
  }
  template <typename Done>
  bool wait(Done done) {
    for (int i = 0; i < 2000 && !done(); ++i) loop_.run_once(std::chrono::milliseconds(1));
    return done();
  }
  bool stored(User& who, std::uint64_t ticket) {
    return wait([&] { return who.stored >= ticket; });
  }
  void settle() {
    for (int i = 0; i < 5; ++i) loop_.run_once(std::chrono::milliseconds(1));
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Log log_{"test: ", LogLevel::notice};
  std::string logged_;
  Surroundings around_{loop_, log_};
  MemoryStore store_;
  std::uint64_t writers_ = 0;

  void SetUp() override {
    log_.redirect([this](std::string_view line) { logged_ += line; });
  }
};

TEST_F(StreamTest, TellsWhatIsOnesOwn) {
  const auto ann = user();
  const auto bob = user();
  ASSERT_TRUE(stored(*ann, ann->say("hello")));
  EXPECT_EQ(ann->take(), Texts{"1! hello"});
  EXPECT_TRUE(wait([&] { return !bob->lines.empty(); }));
  EXPECT_EQ(bob->take(), Texts{"1 hello"});
}

TEST_F(StreamTest, WhatIsSaidDuringAnOutageIsStoredInOrderOnce) {
  const auto ann = user();
  store_.go_away();
  EXPECT_TRUE(ann->stream->away());
  ann->say("a");
  ann->say("b");
  settle();
  EXPECT_EQ(ann->take(), Texts());
  store_.come_back();
  ASSERT_TRUE(stored(*ann, 2));
  EXPECT_EQ(ann->take(), (Texts{"1! a", "2! b"}));
}

// The outage begins while the store has an append that it has not answered.
TEST_F(StreamTest, AnAppendWithoutAnAnswerIsNotDoubled) {
  const auto ann = user();
  store_.be_slow(std::chrono::milliseconds(20));
  ann->say("a");
  settle();
  store_.go_away();
  store_.be_slow({});
  store_.come_back();
  ASSERT_TRUE(stored(*ann, 1));
  EXPECT_EQ(ann->take(), Texts{"1! a"});
}

// Its answer is lost with the outage, and it has come.
TEST_F(StreamTest, WhatHasComeDoesNotWait) {
  const auto ann = user(1);
  store_.lose_answers();
  ann->say("a");
  EXPECT_TRUE(wait([&] { return !ann->lines.empty(); }));
  store_.go_away();
  EXPECT_EQ(ann->stored, 1u);
  EXPECT_FALSE(ann->stream->full());
}

// The outage begins before the last entry of each topic has come.
TEST_F(StreamTest, IsOpenInTheEndAlsoOverAnOutage) {
  store_.be_slow(std::chrono::milliseconds(20));
  const auto ann = opening({.settings = {.keep_last = true}});
  ASSERT_TRUE(wait([&] { return ann->stream->was_open(); }));
  store_.go_away();
  store_.come_back();
  EXPECT_FALSE(ann->open);
  EXPECT_TRUE(wait([&] { return ann->open; }));
}

TEST_F(StreamTest, WhatWaitsIsBounded) {
  const auto ann = user(2);
  store_.go_away();
  EXPECT_NE(ann->say("a"), 0u);
  EXPECT_NE(ann->say("b"), 0u);
  EXPECT_TRUE(ann->stream->full());
  EXPECT_EQ(ann->say("c"), 0u);
  EXPECT_EQ(ann->stream->why_not(),
            "the store is unavailable, and 2 entries are waiting (--store-queue)");
}

TEST_F(StreamTest, AFullStoreRefusesWhoCanBeToldAndKeepsTheRest) {
  const auto ann = user();
  store_.be_full("its disk is full");
  ann->say("told");
  ann->say("waits", Wish::wait);
  EXPECT_TRUE(wait([&] { return !ann->lines.empty(); }));
  EXPECT_EQ(ann->take(), Texts{"refused 1: the store refuses entries: its disk is full"});
  EXPECT_TRUE(ann->stream->takes_nothing());
  store_.be_full("");
  ASSERT_TRUE(stored(*ann, 2));
  EXPECT_EQ(ann->take(), Texts{"1! waits"});
  EXPECT_NE(logged_.find("the store accepts entries again"), std::string::npos);
}

TEST_F(StreamTest, AnEmptiedStoreIsAGap) {
  const auto ann = user();
  ASSERT_TRUE(stored(*ann, ann->say("a")));
  ann->take();
  store_.be_emptied();
  EXPECT_TRUE(wait([&] { return !ann->lines.empty(); }));
  EXPECT_EQ(ann->take(), Texts{"lost 2 to 1001"});
  EXPECT_NE(logged_.find("the store was emptied: entries up to 1 are gone"), std::string::npos)
      << logged_;
  ASSERT_TRUE(stored(*ann, ann->say("b")));
  EXPECT_EQ(ann->take(), Texts{"1002! b"});
}

TEST_F(StreamTest, ATakeoverThatLacksTheNewestIsAGapWithTheirNumbers) {
  const auto ann = user();
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(stored(*ann, ann->say(text)));
  ann->take();
  store_.lose_newest(2);
  EXPECT_TRUE(wait([&] { return !ann->lines.empty(); }));
  EXPECT_NE(
      logged_.find("the store has lost its newest entries 2 to 3; numbers continue with 1004"),
      std::string::npos)
      << logged_;
}

TEST_F(StreamTest, ANameIsKeptUntilItIsReleased) {
  const auto ann = user();
  const auto bob = user();
  ann->stream->claim({"kim", "ann"});
  EXPECT_TRUE(wait([&] { return !ann->lines.empty(); }));
  bob->stream->claim({"kim", "bob"});
  EXPECT_TRUE(wait([&] { return !bob->lines.empty(); }));
  EXPECT_EQ(ann->take(), Texts{"kim is ours"});
  EXPECT_EQ(bob->take(), Texts{"kim is not ours"});
  ann->stream->release("kim");
  settle();
  bob->stream->claim({"kim", "bob"});
  EXPECT_TRUE(wait([&] { return !bob->lines.empty(); }));
  EXPECT_EQ(bob->take(), Texts{"kim is ours"});
}

// Tells what it has appended, and is away before it has answered.
class Silent final : public Engine {
 public:
  Silent(Settings settings, Handler& handler) : settings_(std::move(settings)), handler_(handler) {}
  void open() override { handler_.on_open({.stream = 1, .epoch = 1}); }
  void append(std::span<const Entry> entries) override {
    std::vector<Entry> told(entries.begin(), entries.end());
    for (Entry& entry : told) entry.number = ++appended;
    handler_.on_entries(std::span(told).first(1));
    handler_.on_away();
    handler_.on_open({.stream = 1, .epoch = 2, .last = 2000, .survived = 0});
  }
  void claim(std::span<const Claim>, Duration) override {}
  void release(const std::string&, const std::string&) override {}
  void list_names() override {}
  void read_last() override {}

  std::uint64_t appended = 0;

 private:
  Settings settings_;
  Handler& handler_;
};

template <typename Made>
MakeEngine making(Made*& engine) {
  return [&engine](const Settings& settings, Engine::Handler& handler) {
    auto made = std::make_unique<Made>(settings, handler);
    engine = made.get();
    return made;
  };
}

TEST_F(StreamTest, WhatWasHeardIsNotAppendedAgain) {
  Silent* engine = nullptr;
  const MakeEngine make = making(engine);
  Stream::Options options;
  options.settings.writer = 1;
  User ann(around_, make, options);
  ann.say("a");
  const std::uint64_t last = ann.say("b");
  EXPECT_TRUE(stored(ann, last));
  settle();
  EXPECT_EQ(engine->appended, 2u);
  EXPECT_EQ(ann.lines, (Texts{"1! a", "lost 2 to 2000"}));
}

// Takes two batches of three, and answers when it is told to.
class Patient final : public Engine {
 public:
  Patient(Settings, Handler& told) : handler(told) {}
  void open() override { handler.on_open({.stream = 1, .epoch = 1}); }
  void append(std::span<const Entry> entries) override {
    std::string& batch = given.emplace_back();
    for (const Entry& entry : entries) batch += entry.text;
  }
  std::size_t most_at_once() const override { return 3; }
  std::size_t most_in_flight() const override { return 2; }
  std::size_t most_bytes() const override { return 10; }
  void claim(std::span<const Claim>, Duration) override {}
  void release(const std::string&, const std::string&) override {}
  void list_names() override {}
  void read_last() override {}

  Handler& handler;
  Texts given;
};

class PatientTest : public StreamTest {
 protected:
  Patient* engine_ = nullptr;
  User ann_{around_, making(engine_), {}};
  // What the engine was given since it was asked.
  Texts given() {
    settle();
    return std::exchange(engine_->given, {});
  }
  void say(const char* texts, Wish wish = Wish::refuse) {
    for (const char* text = texts; *text != 0; ++text) ann_.say(std::string(1, *text), wish);
  }
};

TEST_F(PatientTest, ALargeBatchDoesNotWaitForTheAnswer) {
  say("a");
  EXPECT_EQ(given(), Texts{"a"});
  say("b");
  EXPECT_EQ(given(), Texts());
  say("cdefg");
  EXPECT_EQ(given(), Texts{"bcd"});
  EXPECT_EQ(ann_.stream->waiting(), 7u);
  engine_->handler.on_appended(1);
  EXPECT_EQ(ann_.stored, 1u);
  EXPECT_EQ(given(), Texts{"efg"});
  say("h");
  engine_->handler.on_appended(4);
  EXPECT_EQ(given(), Texts());
  engine_->handler.on_appended(7);
  EXPECT_EQ(given(), Texts{"h"});
  EXPECT_EQ(ann_.stream->waiting(), 1u);
}

TEST_F(PatientTest, WhatIsInFlightIsRefusedTogether) {
  say("a");
  say("b", Wish::wait);
  EXPECT_EQ(given(), (Texts{"ab"}));
  say("cd", Wish::wait);
  say("e");
  EXPECT_EQ(given(), (Texts{"cde"}));
  engine_->handler.on_refused("it is full");
  EXPECT_EQ(ann_.lines, (Texts{"refused 1: the store refuses entries: it is full",
                               "refused 5: the store refuses entries: it is full"}));
  EXPECT_EQ(ann_.stream->waiting(), 3u);
  EXPECT_TRUE(wait([&] { return !engine_->given.empty(); }));
  EXPECT_EQ(given(), Texts{"bcd"});
}

TEST_F(PatientTest, WhatIsInFlightIsGivenAgainInOrder) {
  say("abcdefg");
  EXPECT_EQ(given(), (Texts{"abc", "def"}));
  engine_->handler.on_away();
  EXPECT_EQ(ann_.stream->waiting(), 7u);
  engine_->handler.on_open({.stream = 1, .epoch = 1});
  EXPECT_EQ(given(), (Texts{"abc", "def"}));
}

TEST_F(PatientTest, WhatIsTooLargeIsRefused) {
  EXPECT_EQ(ann_.say("12345678901"), 0u);
  EXPECT_EQ(ann_.stream->why_not(), "an entry of 11 bytes is too large: the store takes up to 10");
  EXPECT_EQ(logged_, "");
  EXPECT_EQ(ann_.say("12345678901", Wish::wait), 0u);
  EXPECT_NE(logged_.find("the store takes up to 10; skipped"), std::string::npos) << logged_;
  EXPECT_EQ(ann_.stream->counters().refused, 2u);
  EXPECT_EQ(given(), Texts());
}

}  // namespace
}  // namespace netkit::store
