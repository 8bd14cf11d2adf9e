// A room with both of its dialects, for a socket driver. Pure: datagrams and times go in, datagrams
// and events come out.
#pragma once

#include <chat/room.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/datagram/channel.hpp>
#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/plain_fanout.hpp>
#include <netkit/datagram/server.hpp>
#include <netkit/net/answer_policy.hpp>

namespace netkit::chat {

class RoomServer final : public datagram::Driver::Handler,
                         private datagram::Server::Handler,
                         private Room::Handler {
 public:
  struct Options {
    Room::Options room;
    datagram::Options native;
    std::size_t keep = 1000;  // messages for those who catch up
    std::string motd;
    // Datagrams to plain members that wait for one drain(); more are dropped and counted.
    std::size_t max_plain_queue = 1u << 18;
    double plain_rate = 0;  // bytes a second to each plain one that is not local; 0: no limit
  };
  class Handler : public RoomStoreHandler {
   public:
    virtual void on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) = 0;
    virtual void on_closed() = 0;                    // after close(): all have been told
    virtual const AnswerPolicy& policy() const = 0;  // who may be a plain member
    virtual WallTime wall() const = 0;
    // The identity whose key a session uses: datagram::PrivateServer::identity().
    virtual const std::string& identity(std::uint32_t owner) const;
  };
  // `handler` must outlive it.
  RoomServer(const Options& options, const datagram::Random& random, Handler& handler);

  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;

  // The key of `owner` was revoked.
  void revoke(std::uint32_t owner);
  // Accepts nobody any more; everybody is told, and on_closed() follows.
  void close(TimePoint now);

  // Numbers are a store's: the room is its stream, and its next message has the number `next`.
  // Before anybody comes.
  void number_by(std::uint64_t stream, std::uint64_t next);
  // As Room has them; `seq` is above those before.
  void deliver_stored(const Message& message, std::uint64_t seq, bool heard, const Endpoint& peer);
  void deliver_unnumbered(const Message& message, const Endpoint& peer);
  void deliver_private(std::string_view name, const Message& message) {
    room_.deliver_private(name, message, Endpoint(), handler_.wall());
  }
  void refuse_stored(std::uint64_t instance, std::uint64_t request, std::string_view why) {
    room_.refuse_stored(instance, request, why);
  }
  void note_taken(std::uint64_t instance, std::uint64_t taken) {
    room_.note_taken(instance, taken);
  }
  std::string give_other_name(const std::string& name) { return room_.give_other_name(name); }
  void answer_sync(std::uint64_t instance) { room_.answer_sync(instance); }
  void answer_who(std::uint64_t instance, std::span<const std::string> elsewhere) {
    room_.answer_who(instance, elsewhere);
  }

  const Room& room() const { return room_; }
  const datagram::Server& native() const { return native_; }
  std::uint64_t plain_dropped() const { return plain_.dropped(); }
  std::uint64_t plain_over_rate() const { return plain_.over_rate(); }

 private:
  // Server::Handler
  datagram::Verdict on_connect(datagram::SessionRef session, const Endpoint& peer,
                               std::string_view payload) override;
  void on_message(datagram::SessionRef session, std::uint64_t record,
                  std::string_view message) override;
  void on_gap(datagram::SessionRef session, const datagram::Gap& gap) override;
  void on_moved(datagram::SessionRef session, const Endpoint& peer) override;
  void on_left(datagram::SessionRef session, datagram::LeftReason reason,
               std::string_view text) override;
  // Room::Handler
  void say(const Message& message) override;
  void notify(const FromRoom& notice) override;
  void tell(Slot member, std::span<const FromRoom> messages) override;
  void say_plain(std::string_view datagram) override;
  void tell_plain(const datagram::Path& member, std::string_view datagram) override;
  void on_plain_change() override;
  void on_replaced(Slot member) override;
  void on_displaced(Slot member) override;
  void on_put_out(Slot member, LeaveReason reason) override;
  void on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) override;
  Placing place(const Message& message, const Endpoint& peer, std::uint64_t instance,
                std::uint64_t request) override {
    return handler_.place(message, peer, instance, request);
  }
  void on_name_taken(const std::string& name, std::uint64_t instance, bool proved) override {
    handler_.on_name_taken(name, instance, proved);
  }
  void on_name_free(const std::string& name, bool quit) override {
    handler_.on_name_free(name, quit);
  }
  bool holds_sync(std::uint64_t instance) override { return handler_.holds_sync(instance); }
  bool holds_who(std::uint64_t instance) override { return handler_.holds_who(instance); }
  bool tells_elsewhere(std::string_view line, const Message& from, std::uint64_t instance,
                       std::uint64_t request) override {
    return handler_.tells_elsewhere(line, from, instance, request);
  }
  void say_unnumbered(const Message& message) override;

  std::uint64_t first_for(const Hello& hello) const;
  void flush();
  void flush_messages(datagram::SessionRef except = {});
  void flush_notices();
  void flush_told();
  void end_session(Slot member, std::string_view why, datagram::ByeCode code);
  Slot& slot_of(datagram::SessionRef session);
  datagram::SessionRef& session_of(Slot slot);

  Options options_;
  Handler& handler_;
  std::uint64_t id_;
  Room room_;
  datagram::Server native_;
  datagram::Channel messages_;
  datagram::Channel notices_;
  datagram::PlainFanout plain_;
  std::vector<Slot> slots_;                     // by session
  std::vector<datagram::SessionRef> sessions_;  // by slot
  // Answers go out at the end of the turn, so that they end nothing that is packed for all.
  struct Told {
    datagram::SessionRef session;
    std::vector<std::string> messages;
  };
  std::vector<Told> told_;
  std::string encoded_;
  TimePoint now_{};
  TimePoint notices_due_ = TimePoint::max();
  bool closing_ = false;
  bool closed_ = false;  // has been said
};

}  // namespace netkit::chat
