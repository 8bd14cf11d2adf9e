// Where the entries of a stream are kept beyond the life of a server, and shared by several: the
// seam between the commands and the engines behind `--store`, which are plugins of their own
// (netkit/plugin/store_plugin.hpp). netkit/store/conformance.hpp tests an engine against what is
// said here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit::store {

struct Field {
  std::string name;  // lower-case letters, digits and `_`
  std::string value;
  friend bool operator==(const Field&, const Field&) = default;
};

// Texts are arbitrary bytes, as many as a message may have.
struct Entry {
  std::uint64_t number = 0;  // its place in the stream, from 1; 0: it has none yet
  WallTime time{};           // to the microsecond
  std::string topic{};       // empty: it has none
  std::string text{};
  std::vector<Field> fields{};  // whatever else the command stores with it
  // The writer and its own number for the entry, so that nothing is appended twice and each writer
  // recognizes its own. 0: an entry of another program.
  std::uint64_t writer = 0;
  std::uint64_t sequence = 0;

  // Empty where there is none.
  NETKIT_API std::string_view field(std::string_view name) const;
  // Bytes of its texts and fields.
  NETKIT_API std::size_t size() const;
};

struct Settings {
  std::string url{};  // as typed: `sqlite:FILE`, `redis://HOST:PORT/PREFIX`; never a password
  std::string option = "--store";  // as typed, for messages about it
  std::string stream{};            // `chat`
  std::size_t keep = 1000;         // entries that the stream keeps; 0: none but the newest
  bool keep_last = false;          // the last entry of each topic is kept, however old it is
  bool follow = true;              // false: the stream is only appended to
  // Which entries come first: those from number `since` on or, where it is 0, the `newest` ones.
  std::uint64_t since = 0;
  std::uint64_t newest = 0;
  std::uint64_t writer = 0;  // random, above 0: of what is appended here
  std::string password{};
  std::string ca_file{};  // PEM; empty: the system's
  Reconnect::Options reconnect{};
};

// A claim to a name. One that belongs to another owner is refused, unless it is taken over.
struct Claim {
  std::string name{};
  std::string owner{};
  bool takes_over = false;
};

// What a store reports about a stream when it is opened, for the first time or again.
struct State {
  // Identifies the stream: with another one it is another stream, whose numbers are unrelated.
  std::uint64_t stream = 0;
  // Changes whenever the store is found to have lost what it had acknowledged: it was emptied, or
  // was replaced by one that lacks the newest entries. The numbers continue after those assigned
  // before, so that no number is assigned twice.
  std::uint64_t epoch = 0;
  std::uint64_t last = 0;      // number of the newest entry; 0: there has been none
  std::uint64_t survived = 0;  // of another epoch: the newest entry that the store still had
};

// One stream of a store. [loop] Nothing blocks but the constructor; what takes time happens on a
// engine's own thread or on the network, and is told to the handler, on the loop, never from within
// a call. After on_failed() nothing is told any more, nor after destruction.
//
// What every engine promises:
// - Numbers begin with 1 and are the same for everybody; one more for each entry. A higher jump is
//   a loss: entries that were acknowledged and are gone.
// - What on_appended() has told outlives a crash of this process, as far as the engine says in its
//   manual also of the machine. An append that is repeated with the same sequence, because its
//   answer was lost, is not doubled.
// - on_entries() tells each entry from the first that was asked for once, in order, whoever
// appended
//   it, also after an outage; those that were dropped by `keep` meanwhile are a jump.
// - A name belongs to one owner until it is released or its lease has expired.
class NETKIT_API Engine {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // The store is available, and all its entries have been reported: after open(), and after each
    // on_away(). Appends that have not been answered are to be made again.
    virtual void on_open(const State& state) = 0;
    virtual void on_entries(std::span<const Entry> entries) = 0;
    // So many entries were skipped that nothing can be read from.
    virtual void on_skipped(std::uint64_t count) { (void)count; }
    // Every entry of the first batch is in the store; `sequence` is that of the last.
    virtual void on_appended(std::uint64_t sequence) = 0;
    // None of the unanswered batches is in the store, because it has no room or accepts no writes;
    // the reason is half a sentence.
    virtual void on_refused(std::string_view why) = 0;
    // Whether the owner has the name; `holder` is who has it, if that is known.
    virtual void on_claimed(const std::string& name, bool granted, const std::string& holder) = 0;
    // The answer to list_names().
    virtual void on_names(std::span<const std::string> names) { (void)names; }
    // The answer to read_last().
    virtual void on_last(std::span<const Entry> entries) = 0;
    // The store can no longer be reached, or never could; the engine has reported it and retries.
    virtual void on_away() = 0;
    // The store is unusable for good: a wrong password, a file that is not a store. One sentence.
    virtual void on_failed(ExitStatus status, const std::string& error) = 0;
  };

  virtual ~Engine() = default;
  // Once, before all else. An unusable store can also be reported by throwing Error from here.
  virtual void open() = 0;
  // A batch, after on_open(), while fewer than most_in_flight() are not answered. Sequences rise,
  // from batch to batch as well.
  virtual void append(std::span<const Entry> entries) = 0;
  // How many entries a batch may have. Large batches cost less per entry; with small ones the store
  // writes one while the other side prepares the next.
  virtual std::size_t most_at_once() const { return 1000; }
  // How many unanswered batches it accepts. Those after the first are large.
  virtual std::size_t most_in_flight() const { return 1; }
  // The most bytes of texts and fields that an entry may have, so that it can be read back.
  virtual std::size_t most_bytes() const { return std::size_t{512} << 20U; }
  // Claims names, or renews the claims of their owners, for `lease` from now on. There is no answer
  // while the store is away.
  virtual void claim(std::span<const Claim> claims, Duration lease) = 0;
  // Does nothing if the owner does not have the name.
  virtual void release(const std::string& name, const std::string& owner) = 0;
  // Asks which names are taken, in any order.
  virtual void list_names() = 0;
  // The last entry of each topic, where Settings::keep_last has been set.
  virtual void read_last() = 0;
};

// What an engine is made with; all references outlive it.
struct Surroundings {
  EventLoop& loop;
  const Log& log;
};
// Throws UsageError for a URL that it cannot read, Error.
using EngineFactory = std::unique_ptr<Engine> (*)(const Surroundings& around,
                                                  const Settings& settings,
                                                  Engine::Handler& handler);
// How the host of a command obtains an engine: finds and loads what the URL's scheme names.
using MakeEngine =
    std::function<std::unique_ptr<Engine>(const Settings& settings, Engine::Handler& handler)>;

// `sqlite` of `sqlite:FILE`; empty: it is not a URL of a store. Any thread.
NETKIT_API std::string_view scheme_of(std::string_view url);

}  // namespace netkit::store
