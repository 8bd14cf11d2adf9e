// The state of `frame connect`: registration, heartbeats, and requests with their answers, over
// connections that come and go. Pure: bytes and time points in, bytes and events out.
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <frame/message.hpp>
#include <frame/request_table.hpp>
#include <string>
#include <string_view>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::frame {

struct ClientOptions {
  CodecSpec codec{};
  std::uint64_t max_frame = 1U << 20U;
  BadCheck bad = BadCheck::pass;
  bool datagrams = false;      // each frame is one
  bool separate = false;       // frames go out one by one: see pieces()
  std::string registration{};  // the content of --register's request; empty: none
  Duration heartbeat = std::chrono::seconds(3);
  unsigned misses = 3;
  bool keep_open = false;
  // How much may wait for an answer before no more input is taken.
  std::size_t max_requests = 65536;
  std::size_t max_request_bytes = 16U << 20U;
};

// A frame received. The views are valid until the sink returns.
struct ClientEvent {
  enum class Kind : std::uint8_t {
    registered,        // the answer to --register: the requests go out now
    register_refused,  // the answer to --register is an error: exit 77
    answer,            // to the user's request `number`
    heartbeat,         // the answer to a heartbeat of the client's own
    repeated,          // its id was answered before on this connection: late, or twice
    unexpected,        // nothing with its id was asked on this connection
    damaged,           // its check is wrong, so that it answers nothing
  };
  Kind kind;
  std::int8_t id = 0;  // 0 where the codec has none; so is error
  std::int8_t error = 0;
  std::string_view body{};   // without id and error code
  std::uint64_t length = 0;  // as on the wire
  std::uint64_t number = 0;  // answer: which request, as push() numbered it
  CheckResult check = CheckResult::none;
};

// One line on an event that no request waited for, with how many do wait; without a full stop.
// Without `ids` answers have no name.
std::string unmatched_text(const ClientEvent& event, std::size_t waiting, bool ids = true);

class ClientSession {
 public:
  enum class Status : std::uint8_t {
    ok,
    refused,      // after the event register_refused
    bad_frame,    // frame_error() says why; the connection is to be closed
    short_frame,  // an answer without an error code; the connection is to be closed
  };

  struct Push {
    std::uint64_t number = 0;  // 1, 2, 3 …; 0 if it was not taken
    FrameError error;          // the codec cannot hold it, or max_frame
    bool full = false;         // has_room() was false
  };

  // Throws UsageError if the codec cannot encode, or cannot register, or max_frame does not let it.
  // With a codec without message
  // ids there are no heartbeats, and answers are matched in order alone.
  explicit ClientSession(ClientOptions options);

  // A request, as content: `head`, which has its id where the codec has ids, then `body`. It goes
  // out when there is a connection that is registered, in the order of the calls (--send's come
  // before those of stdin), and again on the next connection unless it was answered.
  Push push(std::string_view head, std::string_view body = {});
  bool has_room() const {
    return table_.size() < options_.max_requests && table_.bytes() < options_.max_request_bytes;
  }
  // Forgets the oldest request, if it was sent and has no answer. Whether it did.
  bool give_up_oldest() { return table_.forget_oldest(); }
  // No more requests will come.
  void end_input() { input_ended_ = true; }

  // Connected: output() has the registration, or else the requests.
  void on_connected(TimePoint now);
  // The connection is lost. Returns how many requests had been sent and have no answer: they are
  // kept.
  std::size_t on_disconnected();

  // Calls `sink(const ClientEvent&)` for each frame that `data` completes; output() may have more
  // afterwards. The sink may push(), but not feed, disconnect or destroy the session.
  template <typename Sink>
  Status on_data(TimePoint now, std::string_view data, Sink&& sink);
  template <typename Sink>
  Status on_data(std::string_view data, Sink&& sink) {
    return on_data(TimePoint(), data, sink);
  }
  // The same for a frame that silence ends; when it is to be asked for, TimePoint::max() for never.
  template <typename Sink>
  Status on_silence(TimePoint now, Sink&& sink);
  TimePoint silence_deadline() const { return decoder_.deadline(); }
  // No more will come on this connection: the same for a frame that needs no more behind it.
  // `rest` becomes how many bytes are part of no whole one.
  template <typename Sink>
  Status on_end(std::size_t& rest, Sink&& sink);

  // When on_deadline() is to be called; TimePoint::max() for never.
  TimePoint next_deadline() const { return next_heartbeat_; }
  // Puts the next heartbeat into output() if it is due. False if the peer has been silent for too
  // many of them: the connection is to be dropped.
  bool on_deadline(TimePoint now);

  // What is to be sent now; the caller sends it whole and clears it. Never kept over a connection.
  std::string& output() { return output_; }
  // With ClientOptions::separate it is here instead, a frame each.
  std::deque<std::string>& pieces() { return pieces_; }

  // The input has ended and every request, the registration too, was answered on a connection;
  // never with keep_open.
  bool finished() const;
  bool registered() const { return state_ == State::ready && !options_.registration.empty(); }
  std::size_t unanswered() const { return table_.size(); }
  std::size_t in_flight() const { return table_.sent(); }
  std::uint64_t resent() const { return table_.resent(); }  // requests, after a reconnect
  std::uint64_t given_up() const { return table_.forgotten(); }
  unsigned missed() const { return missed_; }  // heartbeats since the last frame
  std::size_t pending() const { return decoder_.pending(); }
  std::uint64_t pending_total() const { return decoder_.pending_total(); }
  const FrameError& frame_error() const { return frame_error_; }
  FrameCounters counters() const { return decoder_.counters(); }  // of this connection
  // Calls `f(number, id, sent)` for each request without an answer, oldest first: what a report at
  // the end names.
  template <typename F>
  void for_each_unanswered(F&& f) const {
    table_.for_each([&](const RequestTable::Entry& entry) {
      f(entry.number, static_cast<std::int8_t>(entry.id), entry.sent);
    });
  }

 private:
  enum class State : std::uint8_t { down, registering, ready };
  // More of the client's own heartbeats than this are not told apart while none is answered.
  static constexpr unsigned kTrackedHeartbeats = 64;

  template <typename Sink, typename Feed>
  Status take_all(Sink& sink, Feed&& feed);
  Status take(const FrameView& frame, ClientEvent& event);
  void queue(std::string_view wire);
  void classify(ClientEvent& event);
  void take_registration(ClientEvent& event);
  void flush();

  ClientOptions options_;
  FrameEncoder encoder_;
  FrameDecoder decoder_;
  RequestTable table_;
  std::string registration_wire_;
  std::string heartbeat_wire_;
  std::string output_;
  std::deque<std::string> pieces_;
  FrameError frame_error_;
  std::bitset<256> answered_;  // ids that were, on this connection
  TimePoint next_heartbeat_ = TimePoint::max();
  unsigned missed_ = 0;
  bool heartbeat_sent_ = false;      // since the last frame that came
  unsigned tracked_heartbeats_ = 0;  // in the table
  std::uint64_t untracked_heartbeats_ = 0;
  State state_ = State::down;
  bool served_ = false;  // there has been a connection that was ready
  bool input_ended_ = false;
};

template <typename Sink, typename Feed>
ClientSession::Status ClientSession::take_all(Sink& sink, Feed&& feed) {
  Status status = Status::ok;
  const auto take_frame = [&](const FrameView& frame) {
    ClientEvent event{};
    status = take(frame, event);
    if (status != Status::short_frame) sink(static_cast<const ClientEvent&>(event));
    return status == Status::ok;
  };
  feed(take_frame);
  if (status != Status::ok || !decoder_.error()) return status;
  frame_error_ = decoder_.error();
  return Status::bad_frame;
}

template <typename Sink>
ClientSession::Status ClientSession::on_data(TimePoint now, std::string_view data, Sink&& sink) {
  return take_all(sink, [&](auto& take_frame) {
    decoder_.feed(now, data, take_frame);
    if (options_.datagrams) decoder_.finish(take_frame);
  });
}

template <typename Sink>
ClientSession::Status ClientSession::on_silence(TimePoint now, Sink&& sink) {
  return take_all(sink, [&](auto& take_frame) { decoder_.expire(now, take_frame); });
}

template <typename Sink>
ClientSession::Status ClientSession::on_end(std::size_t& rest, Sink&& sink) {
  return take_all(sink, [&](auto& take_frame) { rest = decoder_.finish(take_frame); });
}

}  // namespace netkit::frame
