// The push server without its sockets: subscribers, what each gets, and in which dialect. Pure:
// datagrams, records and times go in; datagrams and events come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <push/payload.hpp>
#include <push/subscriber_table.hpp>
#include <push/topic_readers.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/channel.hpp>
#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/plain_fanout.hpp>
#include <netkit/datagram/server.hpp>
#include <netkit/net/answer_policy.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::push {

enum class SlowPolicy : std::uint8_t { wait, skip, drop };

// One row of the roster.
struct RosterRow {
  std::string_view name;
  Endpoint address;
  bool plain = false;
  Duration age{};
  std::uint64_t sent = 0;  // records: acknowledged ones of a native, all of a plain subscriber
  std::uint64_t lost = 0;  // records it will never get
  std::uint64_t lag = 0;   // records on their way or waiting
  // The path to a native one; the last three also say what is not known yet: 0.
  datagram::PathStatus path{};
};

struct HubCounters {
  std::uint64_t records = 0;        // published
  std::uint64_t bytes = 0;          // of them
  std::uint64_t too_long = 0;       // records over the longest message
  std::uint64_t subscribed = 0;     // how often
  std::uint64_t unsubscribed = 0;   // how often
  std::uint64_t refused_full = 0;   // by --max-subscribers
  std::uint64_t refused_plain = 0;  // by --plain
  std::uint64_t refused_share = 0;  // newcomers whose address has its share of the places
  std::uint64_t refused_name = 0;   // no name, or one that is too long
  std::uint64_t dropped_slow = 0;   // disconnected by --slow drop
  std::uint64_t undelivered = 0;    // records of subscribers that were given up
};

// [one thread]
class Hub final : public datagram::Driver::Handler, private datagram::Server::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_subscribed(const Subscriber& subscriber) = 0;
    // `undelivered` is how many records a native one was not known to have when it was given up.
    virtual void on_unsubscribed(const Subscriber& subscriber, std::string_view why,
                                 std::uint64_t undelivered) = 0;
    // A newcomer found the table full, which `why` says. Called for each.
    virtual void on_full(const Endpoint& peer, std::string_view why) = 0;
    virtual void on_not_sent(const Endpoint& to, int error) { (void)to, (void)error; }
    // Who may be a plain subscriber.
    virtual const AnswerPolicy& policy() const = 0;
    // The identity whose key a session uses: datagram::PrivateServer::identity().
    virtual const std::string& identity(std::uint32_t owner) const;
    // Whether the name is reserved for the holder of a key.
    virtual bool is_identity(std::string_view name) const { return (void)name, false; }
  };
  struct Options {
    datagram::Options protocol;
    SlowPolicy slow = SlowPolicy::skip;
    Duration grace = std::chrono::seconds(2);  // that one who lags is given
    bool last = false;                         // the newest record to newcomers
    std::size_t max_subscribers = 65536;
    double plain_rate = 0;  // bytes a second to each plain one that is not local; 0: no limit
  };
  // `handler` must outlive it.
  Hub(const Options& options, const datagram::Random& random, Handler& handler);

  // A datagram of either dialect.
  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override { server_.tick(now); }
  TimePoint next_deadline() const override { return server_.next_deadline(); }
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_unreachable(const Endpoint& to) override;

  // Why a subscription over the control channel was not made; empty: it was.
  std::string_view subscribe(std::string_view name, const Endpoint& address, std::uint64_t control,
                             TimePoint now);
  bool unsubscribe(std::string_view name);
  // Whether the name is that of a key, which nobody without it may subscribe or unsubscribe.
  bool is_reserved(std::string_view name) const { return handler_.is_identity(name); }
  // The control connection that subscribed `name` is gone; nothing if the name has moved since.
  void release(std::string_view name, std::uint64_t control);

  // The key of `owner` is no longer valid.
  void revoke(std::uint32_t owner);

  // One record for all, which goes out with the next drain(). False: it is longer than a message.
  // `number` is the store's, above those before; 0: the next one.
  bool publish(std::string_view text, std::uint64_t number = 0, std::string_view topic = {});
  // Records that a store has lost.
  void lose(std::uint64_t from, std::uint64_t to) { by_topic_.lose(from, to); }
  // With --last: the newest record of a topic, which a store has kept.
  void remember(std::uint64_t number, std::string_view topic, std::string_view text) {
    by_topic_.remember(number, topic, text);
  }
  void count_too_long() { ++counters_.too_long; }
  bool fits(std::string_view text) const { return text.size() <= server_.options().max_message; }
  // Numbers are a store's: those of the stream `stream`, the next of which is `next`. Before
  // anybody comes.
  void number_by(std::uint64_t stream, std::uint64_t next);
  std::size_t pending_records() const { return records_.pending_messages(); }
  std::size_t pending_bytes() const { return records_.pending_bytes(); }
  // Datagrams to plain subscribers that wait for further rounds.
  std::size_t plain_waiting() const { return plain_.waiting(); }
  std::uint64_t plain_over_rate() const { return plain_.over_rate(); }

  // How long to hold back the source because a subscriber lags: half of --keep is waiting for it.
  // TimePoint::max(): until further notice; TimePoint::min(): not at all. With SlowPolicy::drop,
  // disconnects those that have lagged for the grace period. O(native subscribers) whenever one
  // begins to lag or has caught up, except with SlowPolicy::wait.
  TimePoint hold_until(TimePoint now);
  bool someone_lags() const { return server_.full_sessions() > 0; }

  // Delivers what is due and sends END to the native sessions; nobody may subscribe any more.
  void finish(TimePoint now);
  // Sends BYE to all sessions at once.
  void close();
  std::size_t sessions() const { return server_.size(); }

  const SubscriberTable& table() const { return table_; }
  std::size_t size() const { return table_.size(); }
  // Those that records can go to: the native ones are known to have their session.
  std::size_t reachable() const { return table_.size() - server_.unconfirmed(); }
  // In the order in which they came.
  void for_each_row(TimePoint now, const std::function<void(const RosterRow&)>& visit) const;
  const HubCounters& counters() const { return counters_; }
  const datagram::Counters& protocol_counters() const { return server_.counters(); }
  std::vector<datagram::PathStatus> paths() const { return server_.paths(); }
  datagram::PathStatus path_of(const Subscriber& subscriber) const;  // of a native one

 private:
  datagram::Verdict on_connect(datagram::SessionRef session, const Endpoint& peer,
                               std::string_view payload) override;
  void on_message(datagram::SessionRef, std::uint64_t, std::string_view) override {}
  void on_moved(datagram::SessionRef session, const Endpoint& peer) override;
  void on_left(datagram::SessionRef session, datagram::LeftReason why,
               std::string_view text) override;

  std::string_view subscribe_plain(std::string_view name, const datagram::Path& path,
                                   std::uint64_t control, TimePoint now);
  // Empty: there is room; else why not.
  std::string_view why_no_room(const Endpoint& peer, const Subscriber* leaving);
  void enter(std::string_view name, const datagram::Path& path, datagram::SessionRef session,
             std::uint64_t control);
  void remove(Subscriber& subscriber, std::string_view why);
  std::uint64_t first_record(const Request& request) const;
  void flush_records(datagram::SessionRef except = {});
  RosterRow row_of(const Subscriber& subscriber, TimePoint now) const;

  Options options_;
  std::string full_;   // what those are told who find the table full
  std::string share_;  // and those whose address has its share
  Handler& handler_;
  datagram::Server server_;
  datagram::Channel records_;
  TopicReaders by_topic_;
  datagram::PlainFanout plain_;
  SubscriberTable table_;
  SourceShares shares_;
  std::optional<std::string> last_text_;
  std::uint64_t stream_;
  TimePoint now_{};
  struct Lag {
    std::uint64_t changes = 0;  // Server::full_changes() when this was found
    TimePoint until = TimePoint::min();
    TimePoint look_again = TimePoint::max();  // even without a change
  };
  Lag lag_;
  bool finishing_ = false;
  HubCounters counters_;
};

}  // namespace netkit::push
