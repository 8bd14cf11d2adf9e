// The engine of `redis:` and `rediss:`: a stream in Redis Streams.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <redis/connection.hpp>
#include <redis/url.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/store/engine.hpp>

namespace netkit::redis {

// One connection for requests, one that waits for entries. If Sentinel, or a cluster node without
// the stream, redirects to another node, these two are made to that one, and live as long as the
// connection that redirected. [loop]
class RedisEngine final : public store::Engine, private Connection::Handler {
 public:
  RedisEngine(const store::Surroundings& around, Url url, store::Settings settings,
              store::Engine::Handler& handler);
  ~RedisEngine() override;

  void open() override { main_->start(); }
  void append(std::span<const store::Entry> entries) override;
  // A script stops Redis for all others.
  std::size_t most_at_once() const override { return 200; }
  // Redis has one while this server has work with the one before, unless it does not read as fast.
  std::size_t most_in_flight() const override { return own_.size() < 4 ? 2 : 1; }
  std::size_t most_bytes() const override { return ReplyReader::kMostBytes - kEntryOverhead; }
  void claim(std::span<const store::Claim> claims, Duration lease) override;
  void release(const std::string& name, const std::string& owner) override;
  void list_names() override;
  void read_last() override;

 private:
  void on_ready(Connection& connection) override;
  void on_lost(Connection& connection) override;
  void on_gave_up(Connection& connection, ExitStatus status, const std::string& error) override;

  std::unique_ptr<Connection> connect(std::vector<AddressSpec> servers,
                                      const Reconnect::Options& reconnect, const Log& log,
                                      bool logs_in);
  Connection& commands() { return redirected_ ? *redirected_ : *main_; }
  void ask_sentinel();
  void go_to(std::string_view host, std::string_view port);
  void forget_others();
  void forget_batches();

  void attach();
  void send_attach();
  std::string seconds_now() const;
  void on_attached(const Reply& reply);
  void read_forwards();
  void read_backwards(const std::string& before);
  std::uint64_t count_wanted() const;  // of those that come before
  void on_older(const Reply& reply);
  std::string page() const { return std::to_string(page_); }
  void be_open();
  void reopen();
  void ping();
  void follow();
  void on_followed(const Reply& reply);
  void load_scripts();
  void append_one(const store::Entry& entry, const std::string& mark_before);
  void append_many(std::span<const store::Entry> entries, const std::string& mark_before,
                   const std::string& before);
  void run_append(const std::string& name, const char* script,
                  std::span<const std::string_view> arguments);
  void on_appended(const Reply& reply);
  void on_refused(const std::string& error);
  void read_on();
  // Goes on behind what is this server's own and has been told.
  void skip_own();
  // True: all that was found is in `entries`, and `last` is the id of the last that was read.
  bool read_entries(const Reply& found, std::string& last, std::vector<store::Entry>& entries);
  // How far the numbers have got, before it goes on.
  void ask_newest(std::function<void()> go_on);
  // Nothing for one that has no number: it is given one, or passed over.
  std::optional<store::Entry> read_entry(const Reply& reply);
  void pass_over(std::string_view id);
  void tell(std::vector<store::Entry> entries);
  void read_last_from(const std::string& cursor);
  void on_some_last(const Reply& reply);
  // True where it is an error that has been seen to.
  bool is_trouble(const Reply& reply);
  void retry(std::string_view why) { main_->drop(why); }
  void fail(ExitStatus status, const std::string& why);

  store::Surroundings around_;
  Url url_;
  store::Settings settings_;
  store::Engine::Handler& handler_;
  Keys keys_;
  Log silent_{"", LogLevel::error};  // of connections whose outages the main one tells
  store::State state_;
  std::uint64_t next_ = 0;   // number of the first entry that is wanted; 0: not known yet
  std::uint64_t known_ = 0;  // the newest number that is known here
  // What an answer has with an entry: its own fields, and the lengths of all.
  static constexpr std::size_t kEntryOverhead = std::size_t{1} << 20U;
  // The newest entry with a number that was read.
  struct Read {
    std::uint64_t number = 0;
    std::string id{};
  };
  // Those that one script has appended stand together in the stream.
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::string id{};  // of the last
  };
  std::string position_;  // what is behind this id has not been read
  Read read_;
  // The newest one of its own that the store has acknowledged since it was attached: it is not read
  // back at once.
  Read acknowledged_;
  struct Given {
    std::uint64_t sequence = 0;           // of the last
    std::vector<store::Entry> entries{};  // none, if nothing is followed
  };
  std::deque<Run> own_;          // that stand behind what was read
  std::uint64_t skipped_ = 0;    // the last number of the run that was skipped last
  std::deque<Given> appending_;  // that are not answered
  std::string keep_;
  std::string mark_field_;           // where Redis remembers what its writer has appended
  std::uint64_t given_ = 0;          // the newest sequence
  std::string mark_;                 // what that is, if it has what was given
  std::string refusal_;              // of the first of them, while others are not answered
  bool waits_for_answer_ = false;    // before it reads on
  std::vector<store::Entry> older_;  // read backwards, the newest first; or the last of topics
  std::size_t older_size_ = 0;       // bytes of it
  // Entries that are read at once: those of chat and push are well below what an answer may take,
  // and where others turn out not to be, fewer are read.
  std::uint64_t page_ = 200;
  std::size_t moves_ = 0;     // from node to node since it was open
  TimePoint asked_;           // when it was last asked what is new
  std::string asked_of_;      // the entry whose number may not be one of the store
  bool passed_over_ = false;  // has been said
  bool open_ = false;
  bool failed_ = false;
  std::string append_many_;  // names of the scripts, where they have been loaded
  std::string append_one_;
  Timer ping_;
  Timer follow_;                      // until it is asked again what is new
  std::shared_ptr<StreamMaker> tls_;  // none: plain TCP
  std::unique_ptr<Connection> main_;
  std::unique_ptr<Connection> redirected_;  // where main_ has sent us; none: main_ itself
  std::unique_ptr<Connection> follower_;
};

// Of NETKIT_STORE.
std::unique_ptr<store::Engine> make_engine(const store::Surroundings& around,
                                           const store::Settings& settings,
                                           store::Engine::Handler& handler);

}  // namespace netkit::redis
