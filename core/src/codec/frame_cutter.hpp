// The state of a decoder whose frames a cutter cuts: what is unfinished, checks, time, counters.
#pragma once

#include "codec/cutters.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <netkit/codec/frame_codec.hpp>

namespace netkit {

class FrameCutter {
 public:
  FrameCutter(const CodecSpec& spec, std::uint64_t max_frame, BadCheck bad);

  // The next frame that data from `at` on completes; `at` is moved behind what was taken, which is
  // all where there is none. The views of a frame are valid until the next call.
  bool next(std::string_view data, std::size_t& at, FrameView& frame);
  // The frame that ends where nothing more will come; `rest` becomes the bytes that are of none.
  bool last(FrameView& frame, std::size_t& rest);
  // The same for silence.
  bool expired(TimePoint now, FrameView& frame);
  void set_time(TimePoint now) { heard_ = now; }
  TimePoint deadline() const;

  std::size_t pending() const;
  std::size_t memory() const;
  std::uint64_t pending_total() const { return pending() == 0 ? 0 : wanted_; }
  const FrameError& error() const { return error_; }
  const FrameCounters& counters() const { return counters_; }

 private:
  using Cutter = std::variant<LengthCutter, DelimiterCutter, MarkCutter, FlagCutter, CobsCutter,
                              FixedCutter, IdleCutter, NmeaCutter, Gt06Cutter>;
  enum class Outcome : std::uint8_t { frame, more, go_on };

  static Cutter make_cutter(const CodecSpec& spec, std::uint64_t max_frame);
  Outcome settle(const Cut& cut, const char* data, FrameView& frame);
  bool judge(const Cut& cut, const char* data, FrameView& frame);
  bool next_of_partial(std::string_view data, std::size_t& at, FrameView& frame, bool& found);
  void drop_taken();
  std::string_view unfinished() const { return std::string_view(partial_).substr(taken_); }

  Cutter cutter_;
  std::shared_ptr<const Check> check_;
  BadCheck bad_;
  Duration idle_;             // zero: not cut by silence
  TimePoint heard_{};         // when bytes came last
  std::string partial_;       // of an unfinished frame, after what is taken
  std::size_t taken_ = 0;     // bytes of partial_ that a frame handed out still refers to, or past
  std::uint64_t wanted_ = 0;  // bytes the unfinished frame has, 0: not known
  FrameError error_;
  FrameCounters counters_;
};

}  // namespace netkit
