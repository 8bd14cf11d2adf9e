// What every engine of a store has to do, as tests (GoogleTest). A test program of an engine has
//
//   class MyBench final : public netkit::store::Bench { ... };
//   NETKIT_STORE_CONFORMANCE(My, MyBench);
//
// Headers only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/store/engine.hpp>

namespace netkit::store {

// A store for one test, which is empty.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual MakeEngine maker(const Surroundings& around) = 0;
  virtual std::string url() { return "test:"; }
  // How long it may take until others learn of an entry, and the shortest lease of a name.
  virtual Duration patience() { return std::chrono::seconds(10); }
};

// A user of a stream, which records its callbacks.
class Peer final : public Engine::Handler {
 public:
  Peer(Bench& bench, const Surroundings& around, Settings settings)
      : around_(around), settings_(std::move(settings)) {
    settings_.url = bench.url();
    Engine::Handler& own = *this;
    engine_ = bench.maker(around)(settings_, own);
  }

  bool open() {
    engine_->open();
    return wait([this] { return is_open; });
  }
  bool append(const std::vector<std::string>& texts) {
    std::vector<Entry> batch;
    batch.reserve(texts.size());
    for (const std::string& text : texts) batch.push_back(entry(text));
    return append(batch);
  }
  bool append(std::vector<Entry> batch) {
    appended = 0;
    const std::uint64_t last = give(std::move(batch));
    return wait([this, last] { return appended == last; });
  }
  // Does not wait for the answer, to the sequence that it returns.
  std::uint64_t give(std::vector<Entry> batch) {
    for (Entry& one : batch) {
      one.writer = settings_.writer;
      if (one.sequence == 0) one.sequence = ++sequence_;
    }
    engine_->append(batch);
    return batch.back().sequence;
  }
  Engine& engine() { return *engine_; }
  static Entry entry(std::string text, std::string topic = {}) {
    return {.time = WallTime(std::chrono::microseconds(1795187549123456)),
            .topic = std::move(topic),
            .text = std::move(text)};
  }
  bool claim(const std::string& name, const std::string& owner,
             Duration lease = std::chrono::seconds(30), bool takes_over = false) {
    answered = false;
    const Claim claim{name, owner, takes_over};
    engine_->claim(std::span(&claim, 1), lease);
    EXPECT_TRUE(wait([this] { return answered; }));
    return granted;
  }
  void release(const std::string& name, const std::string& owner) { engine_->release(name, owner); }
  std::vector<std::string> names() {
    answered = false;
    engine_->list_names();
    EXPECT_TRUE(wait([this] { return answered; }));
    std::ranges::sort(listed);
    return listed;
  }
  std::vector<Entry> last() {
    answered = false;
    engine_->read_last();
    EXPECT_TRUE(wait([this] { return answered; }));
    return last_entries;
  }
  bool wait(const std::function<bool()>& done, Duration limit = std::chrono::seconds(10)) {
    const SystemClock clock;
    const TimePoint deadline = clock.now() + limit;
    while (!done()) {
      if (clock.now() > deadline || !failure.empty()) return false;
      around_.loop.run_once(std::chrono::milliseconds(10));
    }
    return true;
  }
  bool has(std::size_t count) {
    return wait([this, count] { return entries.size() >= count; });
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Entry& one : entries) all.push_back(one.text);
    return all;
  }
  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> all;
    for (const Entry& one : entries) all.push_back(one.number);
    return all;
  }

  std::vector<Entry> entries;
  std::vector<Entry> last_entries;
  std::vector<std::string> listed;
  State state;
  std::string failure;
  std::string refusal;
  std::uint64_t appended = 0;
  bool is_open = false;
  bool answered = false;
  bool granted = false;

 private:
  void on_open(const State& now) override {
    state = now;
    is_open = true;
  }
  void on_entries(std::span<const Entry> more) override {
    entries.insert(entries.end(), more.begin(), more.end());
  }
  void on_appended(std::uint64_t sequence) override { appended = sequence; }
  void on_refused(std::string_view why) override { refusal = why; }
  void on_claimed(const std::string&, bool is_granted, const std::string&) override {
    granted = is_granted;
    answered = true;
  }
  void on_names(std::span<const std::string> names) override {
    listed.assign(names.begin(), names.end());
    answered = true;
  }
  void on_last(std::span<const Entry> more) override {
    last_entries.assign(more.begin(), more.end());
    answered = true;
  }
  void on_away() override { is_open = false; }
  void on_failed(ExitStatus, const std::string& error) override { failure = error; }

  Surroundings around_;
  Settings settings_;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<Engine> engine_;
};

class Conformance : public ::testing::TestWithParam<std::function<std::unique_ptr<Bench>()>> {
 protected:
  std::unique_ptr<Peer> peer(Settings settings = {}) {
    if (settings.stream.empty()) settings.stream = "chat";
    if (settings.writer == 0) settings.writer = ++writers_;
    auto made = std::make_unique<Peer>(*bench_, around_, settings);
    EXPECT_TRUE(made->open()) << made->failure;
    return made;
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Log log_{"conformance: ", LogLevel::error};
  Surroundings around_{loop_, log_};
  std::unique_ptr<Bench> bench_ = GetParam()();
  std::uint64_t writers_ = 0;
};

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

TEST_P(Conformance, EntriesGetNumbersFromOneOn) {
  const auto ann = peer();
  ASSERT_TRUE(ann->append(Texts{"a", "b"}));
  ASSERT_TRUE(ann->append(Texts{"c"}));
  ASSERT_TRUE(ann->has(3));
  EXPECT_EQ(ann->texts(), (Texts{"a", "b", "c"}));
  EXPECT_EQ(ann->numbers(), (Numbers{1, 2, 3}));
}

TEST_P(Conformance, AllSeeTheSameInOneOrder) {
  const auto ann = peer();
  const auto bob = peer();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE((i % 2 == 0 ? ann : bob)->append(Texts{std::to_string(i)}));
  }
  ASSERT_TRUE(ann->has(20));
  ASSERT_TRUE(bob->has(20));
  EXPECT_EQ(ann->texts(), bob->texts());
  EXPECT_EQ(ann->numbers(), bob->numbers());
  EXPECT_EQ(ann->state.stream, bob->state.stream);
  EXPECT_EQ(ann->state.epoch, bob->state.epoch);
}

TEST_P(Conformance, AnyBytesComeBackAsTheyWere) {
  const auto ann = peer();
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  Entry odd = Peer::entry(bytes, "a/b c");
  odd.fields = {{"name", "\xff\n\"ann"}, {"empty", ""}};
  const Entry large = Peer::entry(std::string(65536, 'x'));
  ASSERT_TRUE(ann->append(std::vector<Entry>{odd, Peer::entry(""), large}));
  ASSERT_TRUE(ann->has(3));
  EXPECT_EQ(ann->entries[0].text, bytes);
  EXPECT_EQ(ann->entries[0].topic, "a/b c");
  EXPECT_EQ(ann->entries[0].fields, odd.fields);
  EXPECT_EQ(ann->entries[0].time, odd.time);
  EXPECT_EQ(ann->entries[0].writer, 1u);
  EXPECT_EQ(ann->entries[0].sequence, 1u);
  EXPECT_EQ(ann->entries[1].text, "");
  EXPECT_EQ(ann->entries[2].text.size(), 65536u);
}

TEST_P(Conformance, BatchesInFlightStayInOrder) {
  const auto ann = peer({.keep = 100'000});
  const auto bob = peer({.keep = 100'000});
  const std::size_t size = std::min<std::size_t>(ann->engine().most_at_once(), 200);
  std::uint64_t given = 0;
  for (int i = 0; i < 5; ++i) {
    for (std::size_t k = ann->engine().most_in_flight(); k > 0; --k) {
      given = ann->give(std::vector<Entry>(size, Peer::entry(std::to_string(k))));
    }
    ASSERT_TRUE(bob->append(Texts{"between"}));
    ASSERT_TRUE(ann->wait([&] { return ann->appended == given; }));
  }
  Numbers all(given + 5);
  std::iota(all.begin(), all.end(), 1);
  ASSERT_TRUE(ann->has(all.size()));
  ASSERT_TRUE(bob->has(all.size()));
  EXPECT_EQ(ann->numbers(), all);
  EXPECT_EQ(ann->numbers(), bob->numbers());
  EXPECT_EQ(ann->texts(), bob->texts());
  std::vector<std::uint64_t> order;
  for (const Entry& entry : ann->entries) {
    if (entry.writer == 1) order.push_back(entry.sequence);
  }
  all.resize(given);
  EXPECT_EQ(order, all);
}

TEST_P(Conformance, StreamsAreApart) {
  const auto chat = peer();
  const auto push = peer({.stream = "push"});
  ASSERT_TRUE(chat->append(Texts{"a"}));
  ASSERT_TRUE(push->append(Texts{"b"}));
  ASSERT_TRUE(push->has(1));
  EXPECT_EQ(push->texts(), Texts{"b"});
  EXPECT_EQ(push->numbers(), Numbers{1});
  EXPECT_NE(push->state.stream, chat->state.stream);
}

TEST_P(Conformance, NumbersGoOnWhenSomebodyComesBack) {
  ASSERT_TRUE(peer()->append(Texts{"a", "b", "c"}));
  const auto ann = peer({.newest = 2});
  EXPECT_EQ(ann->texts(), (Texts{"b", "c"}));
  EXPECT_EQ(ann->state.last, 3u);
  ASSERT_TRUE(ann->append(Texts{"d"}));
  ASSERT_TRUE(ann->has(3));
  EXPECT_EQ(ann->numbers(), (Numbers{2, 3, 4}));
}

TEST_P(Conformance, AReaderBeginsWhereItWants) {
  ASSERT_TRUE(peer()->append(Texts{"a", "b", "c"}));
  EXPECT_EQ(peer({.since = 2})->texts(), (Texts{"b", "c"}));
  EXPECT_EQ(peer({.since = 1})->texts(), (Texts{"a", "b", "c"}));
  EXPECT_EQ(peer({.since = 4})->texts(), Texts());
  EXPECT_EQ(peer()->texts(), Texts());
}

TEST_P(Conformance, AWriterAloneIsGivenNothing) {
  const auto ann = peer({.follow = false, .newest = 10});
  ASSERT_TRUE(ann->append(Texts{"a"}));
  const auto bob = peer({.newest = 10});
  EXPECT_EQ(bob->texts(), Texts{"a"});
  EXPECT_EQ(ann->texts(), Texts());
}

TEST_P(Conformance, NoMoreIsKeptThanWanted) {
  const auto ann = peer({.keep = 3});
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(ann->append(Texts{std::to_string(i)}));
  const auto bob = peer({.keep = 3, .since = 1});
  ASSERT_GE(bob->entries.size(), 3u);
  EXPECT_LE(bob->entries.size(), 203u);  // a little more, where that is cheaper
  EXPECT_EQ(bob->entries.back().number, 300u);
}

TEST_P(Conformance, OthersAreToldHoweverLittleIsKept) {
  const auto ann = peer({.keep = 0});
  const auto bob = peer({.keep = 0});
  Texts all;
  for (int i = 0; i < 150; ++i) all.push_back(std::to_string(i));
  ASSERT_TRUE(ann->append(all));
  EXPECT_TRUE(bob->has(all.size()));
  EXPECT_EQ(bob->texts(), all);
}

TEST_P(Conformance, WhatIsAppendedAgainIsNotDoubled) {
  const auto ann = peer();
  Entry a = Peer::entry("a");
  Entry b = Peer::entry("b");
  Entry c = Peer::entry("c");
  a.sequence = 1;
  b.sequence = 2;
  c.sequence = 3;
  ASSERT_TRUE(ann->append(std::vector<Entry>{a, b}));
  ASSERT_TRUE(ann->append(std::vector<Entry>{a, b}));
  ASSERT_TRUE(ann->append(std::vector<Entry>{b, c}));
  EXPECT_EQ(peer({.newest = 10})->texts(), (Texts{"a", "b", "c"}));
}

TEST_P(Conformance, ANameBelongsToOne) {
  const auto ann = peer();
  const auto bob = peer();
  EXPECT_TRUE(ann->claim("kim", "one"));
  EXPECT_FALSE(bob->claim("kim", "two"));
  EXPECT_TRUE(ann->claim("kim", "one"));
  bob->release("kim", "two");
  EXPECT_FALSE(bob->claim("kim", "two"));
  ann->release("kim", "one");
  EXPECT_TRUE(ann->claim("other", "one"));  // behind the release
  EXPECT_TRUE(bob->claim("kim", "two"));
}

TEST_P(Conformance, ANameCanBeTakenOver) {
  const auto ann = peer();
  const auto bob = peer();
  EXPECT_TRUE(ann->claim("kim", "one"));
  EXPECT_TRUE(bob->claim("kim", "two", std::chrono::seconds(30), true));
  EXPECT_FALSE(ann->claim("kim", "one"));
}

TEST_P(Conformance, ANameIsFreeWhenItsLeaseIsOver) {
  const auto ann = peer();
  const auto bob = peer();
  EXPECT_TRUE(ann->claim("kim", "one", std::chrono::milliseconds(300)));
  EXPECT_FALSE(bob->claim("kim", "two"));
  const TimePoint end = clock_.now() + std::chrono::milliseconds(310);
  bob->wait([&] { return clock_.now() > end; });
  EXPECT_TRUE(bob->claim("kim", "two"));
}

TEST_P(Conformance, NamesAreListedAsLongAsSomebodyHasThem) {
  const auto ann = peer();
  const auto bob = peer();
  EXPECT_TRUE(ann->claim("kim", "one"));
  EXPECT_TRUE(bob->claim("lee", "two"));
  EXPECT_TRUE(bob->claim("max", "two", std::chrono::milliseconds(300)));
  const TimePoint end = clock_.now() + std::chrono::milliseconds(310);
  bob->wait([&] { return clock_.now() > end; });
  EXPECT_EQ(ann->names(), (Texts{"kim", "lee"}));
  ann->release("kim", "one");
  EXPECT_EQ(ann->names(), Texts{"lee"});
}

TEST_P(Conformance, TheLastOfEachTopicIsKept) {
  const auto ann = peer({.keep = 2, .keep_last = true});
  std::vector<Entry> batch;
  for (const char* topic : {"a", "b", "a", "c", "c", "c", ""}) {
    batch.push_back(Peer::entry(std::to_string(batch.size()), topic));
  }
  ASSERT_TRUE(ann->append(batch));
  std::vector<std::string> last;
  for (const Entry& entry : peer({.keep = 2, .keep_last = true})->last()) {
    last.push_back(entry.topic + "=" + entry.text + "#" + std::to_string(entry.number));
  }
  std::ranges::sort(last);
  EXPECT_EQ(last, (Texts{"=6#7", "a=2#3", "b=1#2", "c=5#6"}));
}

}  // namespace netkit::store

// At global scope; `Type` with its namespaces.
#define NETKIT_STORE_CONFORMANCE(Name, Type)                                                 \
  namespace netkit::store {                                                                  \
  INSTANTIATE_TEST_SUITE_P(Name, Conformance,                                                \
                           ::testing::Values([]() -> std::unique_ptr<netkit::store::Bench> { \
                             return std::make_unique<Type>();                                \
                           }));                                                              \
  }
