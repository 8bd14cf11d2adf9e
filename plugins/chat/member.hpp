// A member of a room, in the native dialect: its messages are kept until the room has them, over as
// many sessions as that takes. Pure: datagrams and times go in, datagrams and events come out; an
// engine for a socket driver.
#pragma once

#include <chat/payload.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/driver.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit::chat {

class Member final : public datagram::Driver::Handler, private datagram::Client::Handler {
 public:
  // Called from within on_datagram(), tick() and drain(); all functions of the member but these may
  // be called from here. Views are valid during the call.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_joined(const Welcome& welcome) = 0;
    // The room refused the member: datagram::RejectCode and why.
    virtual void on_rejected(std::uint16_t code, std::string_view why) = 0;
    // What others say and do; `seq` is the number of a Message, unless it is private.
    virtual void on_event(const FromRoom& event, std::uint64_t seq) = 0;
    virtual void on_gap(const datagram::Gap& gap) = 0;
    // The room refused a request; `text` is the message, empty if it was something else.
    virtual void on_refused(std::string_view text, std::string_view why) = 0;
    // The session is over before finish() was through. connect() may be called, now or later.
    virtual void on_lost(datagram::LeftReason reason, std::string_view text) = 0;
    // The room has everything, and this side has received all that was due.
    virtual void on_finished() = 0;
    virtual void on_ready() = 0;  // no longer full()
    // The kernel reports that the server cannot be reached.
    virtual void on_unreachable(int error) { (void)error; }
  };

  struct Options {
    datagram::Options native;
    std::uint64_t instance = 0;
    std::string name;
    std::uint64_t since = kSinceNow;
    std::size_t max_pending = 1000;  // requests that wait for the room
    // For a member that is new to the room.
    static Options of(std::string name, std::uint64_t since, const datagram::Random& random);
  };
  static constexpr std::string_view kTooLong = "longer than 65000 bytes";  // what is said
  // `handler` must outlive it.
  Member(const Options& options, datagram::Random random, Handler& handler);

  void connect(TimePoint now);
  // Queues a request; it is kept until the room has it. False: it is too long, or finish() was
  // called.
  bool request(const Request& request);
  bool full() const { return pending_.size() >= options_.max_pending; }
  // Says goodbye once everything has been taken and answered; then on_finished().
  void finish();
  // Leaves now; one more drain() sends that.
  void leave(TimePoint now);
  // No more events until resume(): the room is asked to wait.
  void pause() { client_.pause(); }
  void resume(TimePoint now);
  void set_name(std::string_view name) { options_.name = name; }
  const std::string& name() const { return options_.name; }
  // The member's own message as others see it, because the room does not send it back.
  Message own(const Say& said, WallTime time) const;

  bool connected() const { return client_.connected(); }
  bool finishing() const { return finishing_; }
  // Visits the text of everything said that the room is not known to have.
  template <typename Visit>
  void for_each_undelivered(Visit&& visit) const {
    for (const std::string& bytes : pending_) {
      const std::string_view text = text_of(bytes);
      if (!text.empty()) visit(text);
    }
  }
  std::uint64_t taken() const { return taken_; }
  const datagram::Counters& counters() const { return client_.counters(); }
  // What was said in an encoded request; empty when it says nothing.
  static std::string_view text_of(std::string_view request);

  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_next_address(TimePoint now) override;

 private:
  void on_connected(std::string_view payload) override;
  void on_rejected(std::uint16_t code, std::string_view text) override;
  void on_message(std::uint64_t record, std::string_view message) override;
  void on_gap(const datagram::Gap& gap) override;
  void on_left(datagram::LeftReason reason, std::string_view text) override;

  void settle();
  void forget_first();
  void send_pending(TimePoint now);
  bool is_own(const FromRoom& event) const;
  bool was_heard(const FromRoom& event, std::uint64_t record);
  void take_refusal(const Refused& refused);
  void note_own(std::uint64_t record);
  void report_unheard();

  struct Taken {
    std::uint64_t number;
    std::string bytes;
  };
  static constexpr std::size_t kRemembered = 1024;
  static constexpr std::size_t kMaxUnheard = 10'000;
  static constexpr std::size_t kMaxUnnumbered = 100'000;

  Options options_;
  Handler& handler_;
  datagram::Client client_;
  std::deque<std::string> pending_;  // requests, the first is number taken_ + 1
  // By who said them and when: messages that have been heard, and come again with their numbers.
  std::multiset<std::pair<std::uint32_t, std::uint64_t>> unnumbered_;
  std::deque<Taken> recent_;  // the last that were taken, should the room refuse one
  // Own messages that have not come back with a number, as all of them should: a server that
  // accepted one may end before the room's store has it.
  std::deque<Taken> unheard_;
  std::size_t heard_early_ = 0;        // before it was known to be taken
  std::uint64_t taken_elsewhere_ = 0;  // requests up to this one were taken in sessions before
  std::uint64_t taken_ = 0;
  std::size_t sent_ = 0;  // of pending_, in this session
  std::optional<TokenBucket> bucket_;
  std::uint64_t room_ = 0;
  std::uint32_t id_ = 0;
  std::uint64_t next_ = 0;  // number of the next message; 0: not in a room yet
  // Everything below has been reported: a server that lags behind another one of the room sends it
  // again.
  std::uint64_t told_ = 0;
  TimePoint now_{};
  bool was_full_ = false;
  bool finishing_ = false;
  bool synced_ = false;
  bool ending_ = false;  // client_.finish() was called in this session
};

}  // namespace netkit::chat
