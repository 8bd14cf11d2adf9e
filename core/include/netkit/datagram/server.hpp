// The server's side of the native datagram protocol: a table of sessions. Pure: datagrams and times
// go in, datagrams and events come out. It opens no socket, asks no clock and prints nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/options.hpp>
#include <netkit/datagram/output_queue.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// One session of a server. The index is small and used again once the session is over, so that an
// application can keep its own data in an array; the generation tells the two apart.
struct SessionRef {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t index = kNone;
  std::uint32_t generation = 0;
  explicit operator bool() const { return index != kNone; }
  friend bool operator==(const SessionRef&, const SessionRef&) = default;
};

// The application's answer to a CONNECT.
struct Verdict {
  bool accepted = true;
  std::uint16_t code = 0;  // of a refusal
  std::string text;  // payload of ACCEPT (to kMaxPayload bytes), text of REJECT (to kMaxReason)
  static Verdict accept(std::string payload = {}) { return {true, 0, std::move(payload)}; }
  static Verdict reject(RejectCode code, std::string text) {
    return {false, static_cast<std::uint16_t>(code), std::move(text)};
  }
};

// [one thread] Per idle session under 1 KiB.
class NETKIT_API Server {
 public:
  // Called from within on_datagram() and tick(). All functions of the server may be called from
  // here, close() of the session at hand included, but for on_datagram(), tick() and drain().
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // A client that has proved to be at `peer` asks for a session. `session` is already valid
    // (send() queues for it), and invalid again if the verdict is no. Not called again for
    // duplicates of an accepted CONNECT.
    virtual Verdict on_connect(SessionRef session, const Endpoint& peer,
                               std::string_view payload) = 0;
    // One message, in order, once. `record` is the sender's number for it, 0 when it has none.
    // `message` is valid during the call.
    virtual void on_message(SessionRef session, std::uint64_t record, std::string_view message) = 0;
    // Messages that will never come, reported in their place in the order.
    virtual void on_gap(SessionRef session, const Gap& gap) { (void)session, (void)gap; }
    // The client continues at another address.
    virtual void on_moved(SessionRef session, const Endpoint& peer) { (void)session, (void)peer; }
    // The session is over, and `session` is invalid after this call. Not called for close().
    virtual void on_left(SessionRef session, LeftReason reason, std::string_view text) = 0;
  };

  // `handler` must outlive it.
  Server(const Options& options, Random random, Handler& handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // One datagram, of any content; only is_native() ones are looked at. `now` never goes back. What
  // is sent to a session takes the path of its CONNECT, or of what has moved it since.
  void on_datagram(const Path& from, std::string_view datagram, TimePoint now);
  // Runs what is due. Call at next_deadline() or later.
  void tick(TimePoint now);
  // TimePoint::max() when there are no sessions.
  TimePoint next_deadline() const;
  // Adds what is to be sent now, until `queue` holds `limit` datagrams or a few more. True: more is
  // waiting. Call after on_datagram(), tick() and send().
  bool drain(OutputQueue& queue, TimePoint now, std::size_t limit = OutputQueue::kRound);

  // Queues messages without numbers for one session, in order, packed together. False, and nothing
  // is queued, when it is over or finishing, or one of them is too long. Drops the oldest that wait
  // as Options::overflow says.
  bool send(SessionRef session, std::span<const std::string> messages);
  bool send(SessionRef session, std::string_view message);
  // What a Channel has packed, for one session or for all but `except`.
  bool send(SessionRef session, std::span<const ChunkRef> chunks);
  void broadcast(std::span<const ChunkRef> chunks, SessionRef except = {});

  // Delivers what is queued, then sends END. on_left(finished) follows once all is acknowledged, or
  // on_left(lease) when the other side is silent for Options::linger.
  void finish(SessionRef session, std::string_view text, TimePoint now);
  void finish_all(std::string_view text, TimePoint now);
  // Forgets the session at once and sends BYE, without on_left().
  void close(SessionRef session, std::string_view text, ByeCode code = ByeCode::bye);

  std::size_t size() const;  // sessions, finishing ones included
  // Sessions that were accepted and whose clients have not been heard from since: nothing is sent
  // to them yet.
  std::size_t unconfirmed() const;
  // Sessions with Options::keep records (or keep_bytes) waiting or more: the next send() would
  // drop, or with Overflow::keep_all grow. For a source that waits for the slowest.
  // (Half of them, with Options::full_at_half.)
  std::size_t full_sessions() const;
  std::uint64_t full_changes() const;   // how often one became full, or stopped being full
  bool full(SessionRef session) const;  // one that contains() knows
  bool contains(SessionRef session) const;
  const Endpoint& peer(SessionRef session) const;  // of a session that contains() knows
  std::uint32_t owner(SessionRef session) const;   // likewise: Path::owner of who connected
  SessionStatus status(SessionRef session) const;  // likewise
  std::vector<PathStatus> paths() const;           // of all sessions
  const Options& options() const;
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::datagram
