// A command's access to its stream of a store: the queue of entries to append, and the entries that
// arrive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/record/totals.hpp>
#include <netkit/store/engine.hpp>
#include <netkit/util/export.hpp>

namespace netkit::store {

// What to do when there is no room for an entry.
enum class Wish : std::uint8_t {
  wait,    // of a source: it waits until the store takes it
  refuse,  // report it by on_refused()
};

struct Counters {
  std::uint64_t appended = 0;  // that the store has acknowledged
  std::uint64_t came = 0;      // of others
  std::uint64_t refused = 0;   // by --store-queue, or by a store that takes nothing
  std::uint64_t lost = 0;      // that the store has lost, or dropped before they were read
  std::uint64_t skipped = 0;   // that others have written and nothing can be read from
  std::uint64_t outages = 0;
};

// [loop] Appends entries in order, in batches, and across outages; delivers entries in order, each
// once, and reports what is lost.
class NETKIT_API Stream final : private Engine::Handler {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // The store is available for the first time, and all its entries have been delivered.
    virtual void on_store_open() = 0;
    // `ticket`: what append() returned for it; 0: it is another's.
    virtual void on_entry(const Entry& entry, std::uint64_t ticket) = 0;
    // These numbers will never come, which has been logged.
    virtual void on_lost_entries(std::uint64_t from, std::uint64_t to) { (void)from, (void)to; }
    // The store has every entry up to this one.
    virtual void on_stored(std::uint64_t ticket) { (void)ticket; }
    // The store refuses this one; the reason is half a sentence.
    virtual void on_refused(std::uint64_t ticket, std::string_view why) { (void)ticket, (void)why; }
    // away(), full() or waiting() has changed.
    virtual void on_store_change() {}
    virtual void on_name(const std::string& name, bool granted, const std::string& holder) {
      (void)name, (void)granted, (void)holder;
    }
    // The answer to list_names().
    virtual void on_names(std::span<const std::string> names) { (void)names; }
    // With Settings::keep_last, before on_store_open(): the last entry of each topic.
    virtual void on_last_entry(const Entry& entry) { (void)entry; }
    virtual void on_store_failed(ExitStatus status, const std::string& error) = 0;
  };
  struct Options {
    Settings settings{};
    std::size_t queue = 10000;                  // --store-queue
    Duration lease = std::chrono::seconds(15);  // of names
  };

  // All references outlive it. Throws what `make` throws.
  Stream(const Surroundings& around, const MakeEngine& make, const Options& options,
         Handler& handler);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void open() { engine_->open(); }
  // A ticket above those before; 0: it is refused, and why_not() says why: the queue is full, which
  // Wish::wait passes over, or the entry is too large for the store, which is logged with
  // Wish::wait. Time, topic, text and fields are the caller's.
  std::uint64_t append(Entry entry, Wish wish);
  std::size_t waiting() const { return queue_.size() + in_flight_; }
  bool full() const { return waiting() >= options_.queue; }
  // Of the last entry that append() has refused: "the store is unavailable, and 10000 entries are
  // waiting (--store-queue)"
  const std::string& why_not() const { return why_not_; }
  // The store cannot be reached.
  bool away() const { return !open_; }
  bool was_open() const { return ever_open_; }
  // Entries are on their way to the store, and the end of a run waits for them.
  bool settling() const { return waiting() > 0 && open_ && refusal_.empty(); }
  // At the end of a run, where something still waits: one sentence.
  std::string why_not_stored() const;
  // The store can be reached, but refused all of the last batch; entries wait.
  bool takes_nothing() const { return open_ && !refusal_.empty(); }

  // Keeps a name, renewed by itself until it is let go; answered by on_name(), which is told again
  // when somebody else is found to have it later. Who takes it over does so once.
  void claim(Claim claim);
  // Releases a name, at once or when its lease has expired: by then, whoever left may have joined
  // another server.
  void release(const std::string& name);
  void let_lapse(const std::string& name) { names_.erase(name); }
  // Only while the store is available; not answered if it goes away meanwhile.
  void list_names() { engine_->list_names(); }

  const State& state() const { return state_; }
  std::uint64_t last() const { return last_; }  // number of the entry that came last; 0: none
  const Counters& counters() const { return counters_; }
  // Those of totals() in options.hpp.
  void show(Totals& totals) const;

 private:
  void on_open(const State& state) override;
  void on_entries(std::span<const Entry> entries) override;
  void on_appended(std::uint64_t sequence) override;
  void on_refused(std::string_view why) override;
  void on_claimed(const std::string& name, bool granted, const std::string& holder) override;
  void on_skipped(std::uint64_t count) override { counters_.skipped += count; }
  void on_names(std::span<const std::string> names) override { handler_.on_names(names); }
  void on_last(std::span<const Entry> entries) override;
  void on_away() override;
  void on_failed(ExitStatus status, const std::string& error) override;

  void take(const Entry& entry);
  void send_batches();
  bool fill_batch();
  std::vector<std::uint64_t> take_back(bool with_refusable);
  void forget_heard();
  std::uint64_t refuse(std::string why);
  void say_lost(const State& now);
  void lose(std::uint64_t from, std::uint64_t to);
  void renew();

  struct Waiting {
    Entry entry;
    Wish wish;
  };
  struct Batch {
    std::vector<Entry> entries{};
    std::vector<Wish> wishes{};
  };

  Surroundings around_;
  Options options_;
  Handler& handler_;
  std::deque<Waiting> queue_;
  std::deque<Batch> batches_;  // that the engine has not answered
  std::size_t in_flight_ = 0;  // entries in them
  std::string why_not_;
  std::uint64_t next_ticket_ = 1;
  std::uint64_t last_ = 0;
  std::uint64_t heard_ = 0;  // ticket of the newest of its own that came
  State state_;
  std::string refusal_;  // of the last batch; empty: it was taken
  struct Name {
    std::string owner;
    bool takes_over = false;
    bool granted = false;
  };
  std::map<std::string, Name, std::less<>> names_;  // that are renewed
  bool open_ = false;
  bool ever_open_ = false;
  bool reads_last_ = false;  // the last entry of each topic, before all else
  Hook turn_;
  Timer retry_;
  Timer renewal_;
  Counters counters_;
  std::unique_ptr<Engine> engine_;  // the first to go
};

}  // namespace netkit::store
