// A store in memory, with faults on demand: for tests of code that uses one. Headers only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <netkit/store/engine.hpp>

namespace netkit::store {

// What several engines share, as several servers share a database. Outlives them. [loop]
class MemoryStore {
 public:
  // It cannot be reached until come_back().
  void go_away() { set_away(true); }
  void come_back() { set_away(false); }
  // Answers come this much later.
  void be_slow(Duration delay) { delay_ = delay; }
  // Entries are delivered, but no append is answered until come_back().
  void lose_answers() { answers_ = false; }
  // It refuses entries for this reason (half a sentence); empty: it accepts them again.
  void be_full(std::string why) { full_ = std::move(why); }
  // It has lost everything, which an outage reveals.
  void be_emptied() { lose_newest(SIZE_MAX); }
  // It has lost the newest `count` entries, as after a failover.
  void lose_newest(std::size_t count);

  // For use as MakeEngine.
  MakeEngine maker(const Surroundings& around);

 private:
  class MemoryEngine;
  struct Name {
    std::string owner;
    TimePoint until;
  };
  struct Data {
    std::uint64_t id = 0;
    std::uint64_t epoch = 1;
    std::uint64_t last = 0;
    std::deque<Entry> entries{};
    std::map<std::string, Entry> last_of_topic{};
    std::map<std::string, Name> names{};
    std::map<std::uint64_t, std::uint64_t> sequences{};  // by writer
  };

  void set_away(bool away);
  Data& data(const std::string& stream);

  std::map<std::string, Data> streams_;
  std::vector<MemoryEngine*> engines_;
  std::uint64_t ids_ = 0;
  bool away_ = false;
  bool answers_ = true;
  std::string full_;
  Duration delay_{};
};

class MemoryStore::MemoryEngine final : public Engine {
 public:
  MemoryEngine(MemoryStore& store, const Surroundings& around, Settings settings, Handler& handler)
      : store_(store), around_(around), settings_(std::move(settings)), handler_(handler) {
    store_.engines_.push_back(this);
  }
  ~MemoryEngine() override { std::erase(store_.engines_, this); }

  void open() override {
    later([this] { store_.away_ ? handler_.on_away() : attach(); });
  }
  void append(std::span<const Entry> entries) override {
    later([this, batch = std::vector<Entry>(entries.begin(), entries.end())] { take(batch); });
  }
  void claim(std::span<const Claim> claims, Duration lease) override {
    later([this, wanted = std::vector<Claim>(claims.begin(), claims.end()), lease] {
      for (const Claim& claim : wanted) give(claim, lease);
    });
  }
  void release(const std::string& name, const std::string& owner) override {
    later([this, name, owner] {
      auto& names = data().names;
      const auto found = names.find(name);
      if (found != names.end() && found->second.owner == owner) names.erase(found);
    });
  }
  void list_names() override {
    later([this] {
      std::vector<std::string> names;
      for (const auto& [name, held] : data().names) {
        if (held.until > around_.loop.now()) names.push_back(name);
      }
      handler_.on_names(names);
    });
  }
  void read_last() override {
    later([this] {
      std::vector<Entry> entries;
      for (const auto& [topic, entry] : data().last_of_topic) entries.push_back(entry);
      handler_.on_last(entries);
    });
  }

 private:
  friend class MemoryStore;
  Data& data() { return store_.data(settings_.stream); }

  // While the store is away, nothing is answered.
  template <typename Work>
  void later(Work work) {
    std::erase_if(timers_, [](const Timer& timer) { return !timer.pending(); });
    timers_.push_back(around_.loop.after(store_.delay_, [this, work] {
      if (!store_.away_ || !attached_) work();
    }));
  }

  void attach() {
    Data& mine = data();
    State state{.stream = mine.id, .epoch = mine.epoch, .last = mine.last, .survived = mine.last};
    if (mine.last + 1 < next_) {
      mine.last = next_ + 999;
      state.epoch = ++mine.epoch;
      state.last = mine.last;
    }
    if (next_ == 0) next_ = settings_.since;
    if (next_ == 0) next_ = mine.last + 1 - std::min<std::uint64_t>(settings_.newest, mine.last);
    attached_ = true;
    give_entries();
    handler_.on_open(state);
  }

  void give_entries() {
    if (!attached_ || !settings_.follow) return;
    std::vector<Entry> entries;
    for (const Entry& entry : data().entries) {
      if (entry.number >= next_) entries.push_back(entry);
    }
    if (entries.empty()) return;
    next_ = entries.back().number + 1;
    handler_.on_entries(entries);
  }

  void take(const std::vector<Entry>& batch) {
    if (!store_.full_.empty()) return handler_.on_refused(store_.full_);
    Data& mine = data();
    for (Entry entry : batch) {
      std::uint64_t& done = mine.sequences[entry.writer];
      if (entry.sequence <= done) continue;
      done = entry.sequence;
      entry.number = ++mine.last;
      if (settings_.keep_last) mine.last_of_topic[entry.topic] = entry;
      mine.entries.push_back(std::move(entry));
    }
    const std::size_t kept = std::max(settings_.keep, batch.size());
    while (mine.entries.size() > kept) mine.entries.pop_front();
    for (MemoryEngine* engine : store_.engines_) {
      if (engine->settings_.stream != settings_.stream) continue;
      engine == this ? give_entries() : engine->later([engine] { engine->give_entries(); });
    }
    if (store_.answers_) handler_.on_appended(batch.back().sequence);
  }

  void give(const Claim& claim, Duration lease) {
    Name& held = data().names[claim.name];
    const TimePoint now = around_.loop.now();
    const bool granted =
        claim.takes_over || held.owner.empty() || held.owner == claim.owner || held.until <= now;
    if (granted) held = {claim.owner, now + lease};
    handler_.on_claimed(claim.name, granted, held.owner);
  }

  MemoryStore& store_;
  Surroundings around_;
  Settings settings_;
  Handler& handler_;
  std::vector<Timer> timers_;
  std::uint64_t next_ = 0;  // the number that it is to give next; 0: not known yet
  bool attached_ = false;
};

inline MemoryStore::Data& MemoryStore::data(const std::string& stream) {
  Data& found = streams_[stream];
  if (found.id == 0) found.id = ++ids_;
  return found;
}

inline MakeEngine MemoryStore::maker(const Surroundings& around) {
  return [this, around](const Settings& settings, Engine::Handler& handler) {
    return std::make_unique<MemoryEngine>(*this, around, settings, handler);
  };
}

inline void MemoryStore::set_away(bool away) {
  if (away_ == away) return;
  away_ = away;
  answers_ = true;
  for (MemoryEngine* engine : engines_) {
    if (away_ && engine->attached_) {
      engine->attached_ = false;
      engine->timers_.clear();  // answers are lost
      engine->handler_.on_away();
    } else if (!away_) {
      engine->later([engine] { engine->attach(); });
    }
  }
}

inline void MemoryStore::lose_newest(std::size_t count) {
  go_away();
  for (auto& [name, mine] : streams_) {
    for (std::size_t i = 0; i < count && !mine.entries.empty(); ++i) {
      mine.last = mine.entries.back().number - 1;
      mine.entries.pop_back();
    }
    if (count == SIZE_MAX) mine = Data{.id = mine.id, .epoch = mine.epoch + 1};
    mine.sequences.clear();
  }
  come_back();
}

}  // namespace netkit::store
