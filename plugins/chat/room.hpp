// A chat room: its members and what each of them gets. Pure: what members say and the time go in,
// deliveries come out.
#pragma once

#include <chat/moderation.hpp>
#include <chat/payload.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <netkit/datagram/output_queue.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit::chat {

// A member's place in the room; reused after it has left.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = UINT32_MAX;

// What happened.
struct RoomCounters {
  std::uint64_t messages = 0;
  std::uint64_t private_messages = 0;
  std::uint64_t joined = 0;
  std::uint64_t left = 0;
  std::uint64_t expired = 0;        // plain members, by the lease
  std::uint64_t dropped_rate = 0;   // by --rate
  std::uint64_t dropped_full = 0;   // newcomers, by --max-members
  std::uint64_t refused_plain = 0;  // by --plain
  std::uint64_t refused_share = 0;  // newcomers whose address has its share of the places
  std::uint64_t dropped_long = 0;   // plain messages over kMaxText
  std::uint64_t refused_store = 0;  // messages that the store had no room for
  std::uint64_t ignored = 0;        // plain datagrams: empty, a stranger's quit, from port 0
};

// What a room asks the owner of its store; the defaults are for rooms without one. Implementations
// must not call back into the function that called them; views are valid during the call.
class RoomStoreHandler {
 public:
  virtual ~RoomStoreHandler() = default;
  // Who assigns a message its place in the order: the store if there is one, otherwise the room.
  enum class Place : std::uint8_t {
    here,     // among those of this room
    store,    // the store's: it follows by deliver_stored()
    nowhere,  // none yet: the store is away, and only the members here get it for now
    refused,
  };
  struct Placing {
    Place place = Place::here;
    std::string why{};  // it is refused
  };
  // `instance` and `request` identify the member and its request; 0, 0 for a plain
  // member.
  virtual Placing place(const Message& message, const Endpoint& peer, std::uint64_t instance,
                        std::uint64_t request) {
    (void)message, (void)peer, (void)instance, (void)request;
    return {};
  }
  // Likewise: a native member has this name from now on, or no longer; `proved`: it is that of its
  // key; `quit`: the member left by itself.
  virtual void on_name_taken(const std::string& name, std::uint64_t instance, bool proved) {
    (void)name, (void)instance, (void)proved;
  }
  virtual void on_name_free(const std::string& name, bool quit) { (void)name, (void)quit; }
  // Whether the answer to Who has to wait for the list of members at other servers.
  virtual bool holds_who(std::uint64_t instance) {
    (void)instance;
    return false;
  }
  // Whether a private message to somebody who is not here goes to other servers; `from`: its
  // sender, as a message without a text, who is told later if no server has the addressee.
  virtual bool tells_elsewhere(std::string_view line, const Message& from, std::uint64_t instance,
                               std::uint64_t request) {
    (void)line, (void)from, (void)instance, (void)request;
    return false;
  }
  // Whether the answer to Sync has to wait until more messages have their places.
  virtual bool holds_sync(std::uint64_t instance) {
    (void)instance;
    return false;
  }
};

class Room {
 public:
  // What the room sends, and to which members. Called from within the room's functions, which these
  // must not call; views are valid during the call.
  class Handler : public RoomStoreHandler {
   public:
    // To all native members, the speaker too, numbered as on_event() says.
    virtual void say(const Message& message) = 0;
    // To all native members, without a number.
    virtual void notify(const FromRoom& notice) = 0;
    // To one native member, in order behind all before: a private message, or answers.
    virtual void tell(Slot member, std::span<const FromRoom> messages) = 0;
    // A datagram to every plain member.
    virtual void say_plain(std::string_view datagram) = 0;
    virtual void tell_plain(const datagram::Path& member, std::string_view datagram) = 0;
    // Called before the first plain member joins or one leaves: messages so far are not for the
    // former, and still for the latter.
    virtual void on_plain_change() = 0;
    // A native member came back before its old session had ended: close that one.
    virtual void on_replaced(Slot member) = 0;
    // Another member has joined with the key of this one, which is to be told when its session is
    // closed.
    virtual void on_displaced(Slot member) = 0;
    // A native member is removed: close its session with the reason.
    virtual void on_put_out(Slot member, LeaveReason reason) = 0;
    // To all native members at once, the speaker too, without a number.
    virtual void say_unnumbered(const Message& message) { (void)message; }
    // For output and history. `seq` is the number of a Message, 0 for everything else.
    virtual void on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) = 0;
  };

  struct Options {
    Template plain_template;
    Duration lease = std::chrono::seconds(15);  // of plain members
    std::size_t max_members = 10000;            // plain and native together
    double rate = 1000;           // requests and messages of one member a second; 0: any
    std::size_t remember = 4096;  // native members who left, for their return
    // Several servers are one room: members are identified by what is the same everywhere.
    bool is_shared = false;
    Moderation::Names operators{};  // identities of keys
  };

  Room(const Options& options, Handler& handler);

  // A datagram of the plain dialect. `allowed`: the sender may become a member.
  void on_plain(const datagram::Path& from, std::string_view datagram, bool allowed, TimePoint now,
                WallTime wall);

  struct Entry {
    Slot slot = kNoSlot;  // kNoSlot: refused
    std::uint32_t member = 0;
    std::uint64_t taken = 0;
    enum class Refusal : std::uint8_t {
      none,
      full,
      taken,
      bad_name,
      banned
    } refusal = Refusal::none;
    std::string why;
  };
  // A native member joins, or comes back: the same Hello::instance replaces its session and keeps
  // its name and the count of its requests. `proved`: the name is that of its key, so the present
  // holder of the name is the same member, and is replaced.
  Entry join(const Hello& hello, const Endpoint& peer, TimePoint now, bool proved = false);
  // A member's request, decoded; nothing if it could not be.
  void on_request(Slot slot, const std::optional<Request>& request, TimePoint now, WallTime wall);
  // Requests that the member's session reports as lost: they count as taken, and the last one is
  // refused.
  void on_lost(Slot slot, std::uint64_t count);
  void leave(Slot slot, LeaveReason reason);
  // Removes the member.
  void put_out(Slot slot, LeaveReason reason);
  // The member's session continues at another address.
  void move(Slot slot, const Endpoint& peer);

  // Delivers a message that the store has numbered. `heard`: the members here got it before, while
  // the store was unavailable.
  void deliver_stored(const Message& message, std::uint64_t seq, bool heard, const Endpoint& peer,
                      WallTime wall);
  // Delivers to the members here, at once and without a number.
  void deliver_unnumbered(const Message& message, const Endpoint& peer, WallTime wall);
  // Delivers a private message to whoever has that name here.
  void deliver_private(std::string_view name, Message message, const Endpoint& peer, WallTime wall);
  // The store refused a member's message.
  void refuse_stored(std::uint64_t instance, std::uint64_t request, std::string_view why);
  // How many requests of that member the room has taken, here or at another server.
  void note_taken(std::uint64_t instance, std::uint64_t taken);
  // The name belongs to a member at another server: the member here gets another one, which is
  // returned. If the name is that of its key, the member has moved to that server and leaves this
  // one: returns nothing.
  std::string give_other_name(const std::string& name);
  // The answer to Who that was held: who is here, and who has these names elsewhere.
  void answer_who(std::uint64_t instance, std::span<const std::string> elsewhere);
  // The answer to Sync that was held.
  void answer_sync(std::uint64_t instance);

  void tick(TimePoint now);         // evicts plain members
  TimePoint next_deadline() const;  // max: none
  // Tells the plain members that the room has closed.
  void close();
  const Moderation& moderation() const { return moderation_; }

  std::size_t members() const { return by_name_.size(); }
  std::size_t plain_members() const { return by_endpoint_.size(); }
  template <typename Visit>
  void for_each_plain(Visit&& visit) const {
    for (Slot slot = oldest_; slot != kNoSlot; slot = members_[slot].next) {
      visit(members_[slot].path);
    }
  }
  const RoomCounters& counters() const { return counters_; }

 private:
  struct Pace {
    TokenBucket requests;
    TokenBucket refusals;  // for what is over the rate: an answer costs as much as a request
  };
  struct Member {
    std::string name;  // empty: the place is free
    datagram::Path path;
    bool plain = false;
    bool proved = false;  // the name is that of its key
    std::uint32_t id = 0;
    std::uint64_t instance = 0;
    std::uint64_t taken = 0;
    TimePoint heard;
    std::unique_ptr<Pace> pace;  // from its first request on
    Slot previous = kNoSlot;     // plain members, by when they were heard
    Slot next = kNoSlot;
  };
  struct Past {
    std::uint32_t id = 0;
    std::uint64_t taken = 0;
  };

  Slot add(std::string name, const datagram::Path& path, TimePoint now);
  Slot join_plain(const datagram::Path& from, TimePoint now);
  void remove(Slot slot, LeaveReason reason);
  void displace(Slot slot);
  Entry replace(Slot slot, const Hello& hello, const Endpoint& peer);
  Slot find(std::string_view name) const;
  std::string why_refused(std::string_view name, Slot asking, Entry::Refusal& refusal) const;
  void link(Slot slot);
  void unlink(Slot slot);
  bool within_rate(Member& member, TimePoint now, double cost = 1);
  double cost_of(const Request& request) const;
  void remember(const Member& member);
  void publish(const Member& from, std::string_view text, std::uint8_t flags, WallTime wall);
  // Delivers a message that has its place in the room's order to everybody here.
  void deliver(const Message& message, const Endpoint& peer, WallTime wall);
  void say_to_plain(const Message& message, std::uint64_t seq, const Endpoint& peer, WallTime wall);
  void render_plain(const Message& message, std::uint64_t seq, const Endpoint& peer, WallTime wall);
  std::uint32_t new_id(std::uint64_t instance);
  void carry_out(Slot slot, const Request& request, TimePoint now, WallTime wall);
  bool moderate(Slot slot, const Request& request, TimePoint now);
  void moderate(Slot slot, const Kick& kick);
  void moderate(Slot slot, const Ban& ban);
  void moderate(Slot slot, const Mute& mute, TimePoint now);
  void moderate(Slot slot, const SetTopic& topic);
  void tell_private(Slot slot, std::string_view line, WallTime wall);
  void rename(Slot slot, std::string_view name);
  void list(Slot slot, std::span<const std::string> elsewhere);
  void refuse(Slot slot, std::string_view why);

  Options options_;
  Handler& handler_;
  SourceShares shares_;
  Moderation moderation_;
  std::vector<Member> members_;
  std::vector<Slot> free_;
  std::unordered_map<std::string_view, Slot> by_name_;   // views of Member::name
  std::unordered_map<Endpoint, Slot> by_endpoint_;       // plain
  std::unordered_map<std::uint64_t, Slot> by_instance_;  // native
  std::unordered_map<std::uint64_t, Past> past_;
  std::deque<std::uint64_t> past_order_;
  Slot oldest_ = kNoSlot;
  Slot newest_ = kNoSlot;
  std::uint32_t next_id_ = 1;
  std::uint64_t next_seq_ = 1;
  std::string rendered_;
  RoomCounters counters_;
};

}  // namespace netkit::chat
