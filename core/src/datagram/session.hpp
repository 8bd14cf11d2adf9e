// One session, either side of it: both directions, and signs of life.
#pragma once

#include "datagram/receive_side.hpp"
#include "datagram/send_side.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/datagram/output_queue.hpp>

namespace netkit::datagram {

class NETKIT_API Session {
 public:
  struct Start {
    std::uint64_t id = 0;
    std::uint32_t send_seq = 0;
    std::uint32_t receive_seq = 0;
    std::uint16_t peer_window = 0;
    Duration lease{};
    Duration heartbeat = kNever;  // the server's side waits to be asked
    bool local = false;           // the way does not leave this machine
    CongestionController::Path path{};
  };
  // `options` and `counters` must outlive it.
  Session(const Options& options, Counters& counters, const Start& start, TimePoint now);

  // A DATA or ACK of this session, which came with these two bits of RFC 3168.
  void on_datagram(const Header& header, std::string_view body, std::uint8_t ecn, TimePoint now,
                   MessageHandler& handler);
  void on_timer(TimePoint now);
  TimePoint deadline() const;
  // True once nothing was heard for the lease, or after finish() for Options::linger.
  bool expired(TimePoint now) const { return now >= lease_end(); }
  TimePoint lease_end() const;

  // Adds what is to be sent now while `queue` is shorter than `limit`; true: more is waiting. `to`
  // stays until the queue is cleared.
  bool drain(const Path& to, OutputQueue& queue, TimePoint now, std::size_t limit);
  bool wants_drain(TimePoint now) const;
  void resume(MessageHandler& handler) { receive_.resume(handler); }

  // Queues END behind everything else; nothing can be sent after it.
  void finish(std::uint8_t code, std::string_view text, TimePoint now);
  bool finishing() const { return finishing_; }
  bool finished() const { return finishing_ && send_.idle(); }  // END is acknowledged

  // An ACK, or a BYE with that header, of how the session stands; for the end of it.
  Header header(Type type, TimePoint now) const;
  std::uint64_t id() const { return id_; }
  SendSide& sending() { return send_; }
  const SendSide& sending() const { return send_; }
  ReceiveSide& receiving() { return receive_; }
  SessionStatus status() const;

  // The next datagram asks for an answer, and it is asked again until one comes.
  void ask_for_life() { ping_wanted_ = true; }

 private:
  TimePoint heartbeat_due() const;
  void send_ack(const Path& to, OutputQueue& queue, TimePoint now);

  const Options* options_;
  Counters* counters_;
  std::uint64_t id_;
  SendSide send_;
  ReceiveSide receive_;
  Duration lease_;
  Duration heartbeat_;
  TimePoint last_heard_;
  TimePoint last_sent_;
  TimePoint last_ping_{};
  TimePoint finish_at_{};
  std::uint8_t pings_ = 0;  // unanswered
  bool ping_wanted_ = false;
  bool finishing_ = false;
};

}  // namespace netkit::datagram
