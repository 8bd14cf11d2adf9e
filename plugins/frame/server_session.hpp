// One client of `frame serve`: what it is answered, and how long it may take. Pure: bytes and time
// points in, bytes out.
#pragma once

#include <array>
#include <cstdint>
#include <frame/message.hpp>
#include <string>
#include <string_view>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::frame {

struct ServerOptions {
  CodecSpec codec{};
  std::uint64_t max_frame = 1U << 20U;
  BadCheck bad = BadCheck::pass;
  bool datagrams = false;                             // each frame is one
  Duration frame_timeout = std::chrono::seconds(10);  // how long one frame may take
  Duration idle_timeout = kNever;
  bool accept_custom = false;  // answer ids of the user's with 0 instead of -1
};

// What a request was, and the answer to it. The views are into the request.
struct ServerReply {
  enum class Kind : std::uint8_t { registered, bad_register, heartbeat, datetime, custom };
  static constexpr std::size_t kKinds = 5;
  Kind kind;
  std::int8_t id;
  std::int8_t error;
  std::string_view body;    // of the request; registered: appid and imei
  std::string_view answer;  // the body of the answer
};

// The answer to a request; `datetime` is the server's local time as `2026-11-20 15:12:29`. The
// content has at least the byte of its id. A register of another size and an id that is not known
// get error -1; what follows the id of a heartbeat or a datetime is ignored.
inline ServerReply answer_request(std::string_view content, std::string_view datetime,
                                  bool accept_custom = false) {
  using Kind = ServerReply::Kind;
  const auto id = static_cast<std::int8_t>(content[0]);
  const std::string_view body = content.substr(1);
  switch (id) {
    case kRegister:
      if (body.size() != kAppidSize + kImeiSize) return {Kind::bad_register, id, kError, body, {}};
      return {Kind::registered, id, kOk, body, {}};
    case kHeartbeat:
      return {Kind::heartbeat, id, kOk, body, {}};
    case kDatetime:
      return {Kind::datetime, id, kOk, body, datetime};
    default:
      return {Kind::custom, id, accept_custom ? kOk : kError, body, {}};
  }
}

class ServerSession {
 public:
  enum class Expired : std::uint8_t { none, frame, idle };

  // The options and the encoder (of the same codec) are shared by all sessions and outlive them.
  ServerSession(const ServerOptions& options, const FrameEncoder& encoder, TimePoint now);

  // Calls `sink(const FrameView&)` for each frame that `data` completes, as FrameDecoder::feed()
  // does: what is not taken is to be fed again. An error means that the connection is to be closed.
  // The sink must not feed or destroy the session.
  template <typename Sink>
  FrameDecoder::Result on_frames(TimePoint now, std::string_view data, Sink&& sink) {
    begin(now, data);
    std::size_t frames = 0;
    const auto take = [&](const FrameView& frame) {
      ++frames;
      return sink(frame);
    };
    FrameDecoder::Result result = decoder_.feed(now, data, take);
    if (!result.error && options_->datagrams) {
      decoder_.finish(take);
      result.error = decoder_.error();
    }
    end(now, frames);
    return result;
  }
  // The same for a frame that silence has ended by now.
  template <typename Sink>
  FrameError on_silence(TimePoint now, Sink&& sink) {
    if (now < decoder_.deadline()) return {};
    decoder_.expire(now, sink);
    end(now, 0);
    return decoder_.error();
  }

  // No more will come: calls `sink` for a frame that needs no more behind it. Returns how many
  // bytes are part of no whole one.
  template <typename Sink>
  std::size_t on_end(Sink&& sink) {
    return decoder_.finish(sink);
  }

  // With the codec netkit: appends to `out` the answers to the requests that `data` completes, and
  // calls `sink(const ServerReply&)` for each before the next. An error means that the connection
  // is to be closed once `out` is sent. The sink must not feed or destroy the session.
  template <typename Sink>
  FrameError on_data(TimePoint now, std::string_view data, std::string_view datetime,
                     ByteBuffer& out, Sink&& sink) {
    const FrameEncoder encoder = *encoder_;
    const bool accept_custom = options_->accept_custom;
    const auto answer = [&](const FrameView& frame) {
      const ServerReply reply = answer_request(frame.content, datetime, accept_custom);
      const std::array<char, 2> head = answer_head(reply.id, reply.error);
      encoder.append(out, {head.data(), head.size()}, reply.answer);
      sink(reply);
    };
    return on_frames(now, data, answer).error;
  }

  // The peer was not read from until now: its silence begins, and an unfinished frame's time.
  void begin_anew(TimePoint now);

  // When the session is to be asked whether it expired; TimePoint::max() for never.
  TimePoint next_deadline() const;
  Expired expired(TimePoint now) const;

  // What a session that opened with another protocol and then made an error is called in the log.
  const FirstBytes& first_bytes() const { return first_; }
  std::size_t pending() const { return decoder_.pending(); }
  std::uint64_t pending_total() const { return decoder_.pending_total(); }
  FrameCounters counters() const { return decoder_.counters(); }
  std::size_t memory() const { return sizeof *this + decoder_.memory(); }

 private:
  void begin(TimePoint now, std::string_view data);
  void end(TimePoint now, std::size_t frames);

  const ServerOptions* options_;
  const FrameEncoder* encoder_;
  FrameDecoder decoder_;
  TimePoint last_data_;
  TimePoint frame_began_ = TimePoint::max();  // of the unfinished frame, if there is one
  FirstBytes first_;
};

}  // namespace netkit::frame
