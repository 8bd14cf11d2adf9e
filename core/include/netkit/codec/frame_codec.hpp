// Cutting a byte stream into frames, and writing frames to one, by any codec of the grammar.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <netkit/codec/byte_buffer.hpp>
#include <netkit/codec/codec_spec.hpp>
#include <netkit/codec/frame_error.hpp>
#include <netkit/codec/length_layout.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class FrameCutter;
class FrameWriter;

// A frame received. The views are valid until the sink returns.
struct FrameView {
  // The body: without marks, stuffing, check and stripped bytes. The whole frame if the check is
  // bad because the frame is too short for one.
  std::string_view content;
  // The value of the length field; without one, the number of bytes between the marks after
  // unstuffing.
  std::uint64_t length = 0;
  std::string_view wire;  // the whole frame, as it came
  CheckResult check = CheckResult::none;
};

// What happens to a frame whose check is wrong; it is counted in any case.
enum class BadCheck : std::uint8_t {
  drop,  // the sink never sees it
  pass,  // the sink checks FrameView::check
  fail,  // decoding ends
};

// What a decoder has found besides good frames, since it was created.
struct FrameCounters {
  std::uint64_t bad_checks = 0;
  std::uint64_t bad_frames = 0;  // broken in another way, after which the next one was found
  std::uint64_t skipped = 0;     // bytes that stood outside of frames
  FrameError last;               // what was wrong with the last of bad_frames
};

// Cuts a byte stream into frames, whatever the pieces it comes in. A frame that lies whole in one
// piece is handed out as a view into it, unless stuffing is to be undone; one that spans pieces is
// copied, into a buffer that grows with the bytes received (at most twice their number), whatever
// length was declared, and that is given back after the frame unless it is small. Lengths are
// checked as soon as the field is there.
//
// A stream that is cut by lengths alone ends with the first length that cannot be. All other cuts
// find the next frame after a bad one: marks by the next mark, silence by the next silence, a fixed
// size by the next bytes whose check is right (without a check, nothing tells). Not thread-safe;
// nothing throws but std::bad_alloc. A copy continues from where the original was.
//
// Sink: `void(const FrameView&)`, or `bool(const FrameView&)` where false means "no more for now".
// The sink must not feed or destroy the decoder.
class NETKIT_API FrameDecoder {
 public:
  struct Result {
    std::size_t taken = 0;  // bytes of the input that need not be fed again
    FrameError error;       // the stream cannot be cut any further: the connection is to be closed
  };

  static constexpr std::uint64_t kMaxLimit = LengthLayout::kMaxLimit;

  // `max_frame`: the most bytes that may follow the length field or, without one, be between the
  // marks, after unstuffing and including the check. More than kMaxLimit counts as kMaxLimit.
  FrameDecoder(const CodecSpec& spec, std::uint64_t max_frame, BadCheck bad = BadCheck::drop);
  ~FrameDecoder();
  FrameDecoder(const FrameDecoder& other);
  FrameDecoder(FrameDecoder&&) noexcept;
  FrameDecoder& operator=(const FrameDecoder& other);
  FrameDecoder& operator=(FrameDecoder&&) noexcept;

  // Calls the sink for every frame that `data` completes. All of `data` is taken, unless the sink
  // returned false (then the caller keeps what follows that frame) or there was an error (frames
  // before it were handed out; every later call returns the same error).
  template <typename Sink>
  Result feed(std::string_view data, Sink&& sink);

  // ---- For codecs that are cut by silence; with others the time makes no difference. ----

  // The same for bytes received at `now`, which never goes back.
  template <typename Sink>
  Result feed(TimePoint now, std::string_view data, Sink&& sink);
  // When the silence will have ended what is pending; TimePoint::max() if nothing waits for it.
  TimePoint deadline() const;
  // Hands out the frame whose deadline has come, if any. False if the sink wants no more for now.
  template <typename Sink>
  bool expire(TimePoint now, Sink&& sink);

  // The stream, or the datagram, has ended: hands out a frame that is complete without further
  // bytes, such as a last line or what silence would end. Returns how many bytes belonged to no
  // complete frame. Afterwards the decoder is as new, but for the counters.
  template <typename Sink>
  std::size_t finish(Sink&& sink);

  // Why the stream cannot be cut any further, if so; also after expire() and finish().
  FrameError error() const { return cutter_ ? cut_error() : error_; }

  std::size_t pending() const;  // bytes of an unfinished frame
  std::size_t memory() const;   // bytes held for it
  // How many bytes the unfinished frame will have, 0 while that is not known.
  std::uint64_t pending_total() const;
  FrameCounters counters() const;

 private:
  static constexpr std::size_t kKeptCapacity = 512;
  using Parsed = LengthLayout::Parsed;

  void clear_partial();
  Parsed complete_partial(std::string_view data, std::size_t& at, FrameHead& head);
  Parsed parse_next(const LengthLayout& layout, const char* data, std::size_t size,
                    FrameHead& head) const;
  // One frame by the cutter; false if `data` completes no further.
  bool cut(std::string_view data, std::size_t& at, FrameView& frame);
  bool cut_expired(TimePoint now, FrameView& frame);
  bool cut_last(FrameView& frame, std::size_t& rest);
  void set_time(TimePoint now);
  FrameError cut_error() const;

  template <typename Sink>
  static bool hand_out(const FrameView& frame, Sink& sink);
  template <typename Sink>
  static bool deliver(const char* data, const FrameHead& head, Sink& sink);
  template <typename Sink>
  Result feed_cutter(std::string_view data, Sink& sink);

  // A length field without a check, the codec of most and of netkit, is cut inline; all others by
  // the cutter, which then has all of the state.
  std::string partial_;
  LengthLayout layout_;
  FrameError error_;
  std::unique_ptr<FrameCutter> cutter_;
};

// Makes frames of contents, which a decoder of the same codec hands out again. If the length field
// is part of the content, the content has room for it and the encoder fills it in. Stateless after
// construction: any thread.
class NETKIT_API FrameEncoder {
 public:
  // The most bytes that a length field has.
  static constexpr std::size_t kMaxField = LengthField::kMaxSize;

  // Throws UsageError for a codec that strips what an encoder cannot know.
  explicit FrameEncoder(const CodecSpec& spec);

  // Appends one frame whose content is `head` followed by `body`; on an error appends nothing.
  FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const;
  FrameError append(std::string& out, std::string_view head, std::string_view body = {}) const;

  // The fault too_long if a decoder with this limit refuses the frame of that content.
  FrameError check(std::string_view head, std::string_view body, std::uint64_t max_frame) const;

  // Whether a frame is the length field and then the content as it is, so that put_field() does.
  bool prefixes() const { return writer_ == nullptr; }
  // Writes the field of a frame in which `rest` bytes follow it to `to`, which has room for
  // kMaxField bytes, all of which may be written to. Returns its size, or 0: error_of() says why.
  std::size_t put_field(char* to, std::uint64_t rest) const { return field_.put(to, rest); }
  FrameError error_of(std::uint64_t rest) const { return field_.error_of(rest); }

 private:
  FrameError write(ByteBuffer& out, std::string_view head, std::string_view body) const;

  LengthField field_;
  std::shared_ptr<const FrameWriter> writer_;  // for more than a field and a content
};

// ---- What follows is inline because it runs once a frame. ----

template <typename Sink>
[[gnu::always_inline]] inline bool FrameDecoder::hand_out(const FrameView& frame, Sink& sink) {
  if constexpr (std::is_void_v<decltype(sink(frame))>) {
    sink(frame);
    return true;
  } else {
    return sink(frame);
  }
}

template <typename Sink>
[[gnu::always_inline]] inline bool FrameDecoder::deliver(const char* data, const FrameHead& head,
                                                         Sink& sink) {
  const std::string_view wire(data, head.total);
  const std::string_view content(data + head.strip, head.total - head.strip);
  return hand_out(FrameView{content, head.length, wire, CheckResult::none}, sink);
}

template <typename Sink>
FrameDecoder::Result FrameDecoder::feed_cutter(std::string_view data, Sink& sink) {
  std::size_t at = 0;
  FrameView frame;
  while (cut(data, at, frame)) {
    if (!hand_out(frame, sink)) return {at, {}};
  }
  return {at, cut_error()};
}

// `layout` is a copy of layout_. It and `head` stay in registers as long as no function is called
// on them; so the fields that need one are read by layout_.
[[gnu::always_inline]] inline FrameDecoder::Parsed FrameDecoder::parse_next(
    const LengthLayout& layout, const char* data, std::size_t size, FrameHead& head) const {
  if (layout.width != 0) return layout.parse_fixed(data, size, head);
  FrameHead other;
  const Parsed parsed = layout_.parse(data, size, other);
  head = other;
  return parsed;
}

template <typename Sink>
FrameDecoder::Result FrameDecoder::feed(std::string_view data, Sink&& sink) {
  if (cutter_ != nullptr) return feed_cutter(data, sink);
  if (error_) return {0, error_};
  std::size_t at = 0;
  const LengthLayout layout = layout_;  // a copy, which the sink cannot change
  bool unfinished = !partial_.empty();
  while (unfinished || at < data.size()) {
    FrameHead head;
    const char* frame = data.data() + at;
    if (unfinished) [[unlikely]] {
      FrameHead completed;
      const Parsed parsed = complete_partial(data, at, completed);
      if (parsed == Parsed::wrong) return {at, error_ = layout_.fault_of(partial_)};
      if (parsed == Parsed::incomplete) return {at, {}};
      frame = partial_.data();
      head = completed;
    } else {
      const Parsed parsed = parse_next(layout, frame, data.size() - at, head);
      if (parsed == Parsed::wrong) return {at, error_ = layout_.fault_of(data.substr(at))};
      if (parsed == Parsed::incomplete || head.total > data.size() - at) break;
      at += head.total;
    }
    const bool more = deliver(frame, head, sink);
    if (unfinished) [[unlikely]] {
      clear_partial();
      unfinished = false;
    }
    if (!more) return {at, {}};
  }
  partial_.append(data.substr(at));
  return {data.size(), {}};
}

template <typename Sink>
FrameDecoder::Result FrameDecoder::feed(TimePoint now, std::string_view data, Sink&& sink) {
  if (!expire(now, sink)) return {0, {}};
  if (!data.empty()) set_time(now);
  return feed(data, sink);
}

template <typename Sink>
bool FrameDecoder::expire(TimePoint now, Sink&& sink) {
  FrameView frame;
  return !cut_expired(now, frame) || hand_out(frame, sink);
}

template <typename Sink>
std::size_t FrameDecoder::finish(Sink&& sink) {
  FrameView frame;
  std::size_t rest = 0;
  if (cut_last(frame, rest)) hand_out(frame, sink);
  return rest;
}

inline FrameError FrameEncoder::append(ByteBuffer& out, std::string_view head,
                                       std::string_view body) const {
  if (writer_ != nullptr) return write(out, head, body);
  const std::size_t size = head.size() + body.size();
  char* to = out.reserve(kMaxField + size);
  const std::size_t field = field_.put(to, size);
  if (field == 0) return error_of(size);
  std::copy(head.begin(), head.end(), to + field);
  std::copy(body.begin(), body.end(), to + field + head.size());
  out.commit(field + size);
  return {};
}

}  // namespace netkit
