// The receiving half of a session: order, duplicates, reassembly, and what to acknowledge when.
#pragma once

#include "datagram/chunk.hpp"
#include "datagram/ecn.hpp"
#include "datagram/wire.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/options.hpp>

namespace netkit::datagram {

// Where a session's messages go.
class MessageHandler {
 public:
  virtual ~MessageHandler() = default;
  virtual void on_message(std::uint64_t record, std::string_view message) = 0;
  virtual void on_gap(const Gap& gap) = 0;
  virtual void on_end(const Bye& end) = 0;  // in order; nothing follows
};

// Bodies in order -> messages. A numbered message and one without a number may each be half there.
class NETKIT_API Reassembler {
 public:
  Reassembler(const Options& options, Counters& counters)
      : options_(&options), counters_(&counters) {}
  ~Reassembler();
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;
  const Options& options() const { return *options_; }
  Counters& counters() const { return *counters_; }
  void expect(std::uint64_t record) { expected_ = record; }
  void deliver(std::string_view body, MessageHandler& handler);  // a valid one
  void stop() { stopped_ = true; }  // from a handler: what else a body holds is not delivered

 private:
  struct Partial {
    std::string bytes;
    bool begun = false;
    bool too_long = false;
  };
  void deliver_gap(Gap gap, MessageHandler& handler);
  void deliver_bundle(const Bundle& bundle, MessageHandler& handler);
  void pass_over(std::uint64_t record, MessageHandler& handler);
  bool wanted(std::uint64_t record, MessageHandler& handler);
  void piece(Partial& partial, std::string_view bytes);
  Partial take(Partial& partial);  // whatever is there of it
  bool has_begun(bool numbered) const { return partials_ && (*partials_)[numbered].begun; }
  void drop(bool numbered);
  void complete(std::uint64_t record, std::string_view message, bool too_long,
                MessageHandler& handler);
  void report(const Gap& gap, MessageHandler& handler);

  const Options* options_;
  Counters* counters_;
  std::uint64_t expected_ = 0;  // the next number; 0: any
  // Without a number, numbered; null until one is cut for the first time.
  std::unique_ptr<std::array<Partial, 2>> partials_;
  bool stopped_ = false;
};

class NETKIT_API ReceiveSide {
 public:
  ReceiveSide(const Options& options, Counters& counters, std::uint32_t first_seq);
  ~ReceiveSide();

  // One DATA body; true when it was new and taken.
  bool accept(std::uint32_t seq, std::string_view body, TimePoint now, MessageHandler& handler);
  // One that said it was marked, with the bits of RFC 3168 that it had.
  void on_marked(std::uint8_t bits) {
    ecn_.on_marked(bits);
    if (ecn_.news()) ask_ack();
  }
  void expect(std::uint64_t record) { reassembler_.expect(record); }
  void pause() { paused_ = true; }
  void resume(MessageHandler& handler);
  bool paused() const { return paused_; }
  // What has come in order waits for resume(); the other side knows that it has come.
  bool holding() const { return delivered_ != next_; }
  bool ended() const { return ended_; }  // END was delivered
  // From a handler: deliver nothing more.
  void stop() {
    stopped_ = true;
    reassembler_.stop();
  }

  // What goes into the headers.
  std::uint32_t ack() const { return static_cast<std::uint32_t>(next_); }
  std::uint16_t window() const;
  std::uint16_t ack_delay(TimePoint now) const;
  bool has_holes() const { return highest_ > next_; }
  const EcnReceiver& ecn() const { return ecn_; }
  void told_ecn() { ecn_.on_told(); }
  bool needs_ack() const { return has_holes() || ecn_.news(); }  // one of its own
  // Bit i: ack() + 1 + i has come. Replaces `out`.
  void bitmap(std::string& out) const;

  void ask_ack() { ack_now_ = true; }
  bool ack_due(TimePoint now) const { return ack_now_ || ack_at_ <= now; }
  TimePoint ack_deadline() const { return ack_now_ ? TimePoint::min() : ack_at_; }
  void acked();  // an acknowledgement was sent
  void release_memory();

 private:
  bool hold(std::uint64_t seq, std::string_view body);
  void deliver_held(MessageHandler& handler);
  void schedule_ack(TimePoint now);
  void deliver(std::string_view body, MessageHandler& handler);
  std::string& slot(std::uint64_t seq) { return held_[seq & (held_.size() - 1)]; }
  bool holds(std::uint64_t seq) const {
    return !held_.empty() && !held_[seq & (held_.size() - 1)].empty();
  }

  const Options& options() const { return reassembler_.options(); }
  Counters& counters() const { return reassembler_.counters(); }

  Reassembler reassembler_;
  std::uint64_t next_;       // everything before has come
  std::uint64_t delivered_;  // everything before has been delivered; less than next_ when paused
  std::uint64_t highest_;    // nothing from here on has come
  EcnReceiver ecn_;
  std::vector<std::string> held_;  // by sequence number, circular; empty while not needed
  TimePoint newest_at_{};          // when the newest came
  TimePoint ack_at_ = TimePoint::max();
  std::uint16_t unacked_ = 0;
  std::uint16_t told_window_ = 0;
  bool ack_now_ = false;
  bool paused_ = false;
  bool ended_ = false;
  bool stopped_ = false;
};

}  // namespace netkit::datagram
