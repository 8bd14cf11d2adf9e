// Frames as records.
#pragma once

#include <cstdint>
#include <frame/message.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>

namespace netkit::frame {

// One frame to be shown; views only.
struct ShownFrame {
  std::string_view dir{};  // `in` or `out`; empty: none
  const Endpoint* peer = nullptr;
  std::optional<std::int8_t> id{};     // none: the codec has no message ids
  std::optional<std::int8_t> error{};  // none: a request
  std::string_view body{};             // without id and error code
  std::uint64_t length = 0;            // as the length field has it
  CheckResult check = CheckResult::none;
};

// A request or an answer by its content. An answer too short for its error code has no error.
ShownFrame shown_request(const FrameView& view, const CodecSpec& codec);
ShownFrame shown_answer(const FrameView& view, const CodecSpec& codec);

// Appends `NAME TEXT`: `datetime 2026-01-02 03:04:05`, `register ok`, `7 error -1`,
// `register appid=… imei=…` for a request; without message ids only the body.
void append_frame_text(std::string& out, const ShownFrame& frame);

// Prints bodies as hexadecimal in text form where --hex says so. A frame whose check is wrong is
// marked `bad check: ` there; as bytes alone it is left out, as nothing could mark it.
class FramePrinter {
 public:
  // The prefix of `NAME TEXT` in text form.
  enum class Mark : std::uint8_t {
    none,
    outgoing,   // `> ` before what goes out
    direction,  // `> ` or `< `
  };
  FramePrinter(Host& host, bool show_peer, Mark mark);

  // Whether print() has an effect; if not, its input need not be made.
  bool wanted() const { return wanted_; }
  // The time of the frames that are printed from now on: frames that are read together came
  // together.
  void tick() { time_ = host_->clock().wall(); }
  // Where a frame is shown: as a record, or on stderr with -v.
  enum class Where : std::uint8_t { output, log };
  void print(const ShownFrame& frame, Where where = Where::output);
  // A request or an answer, by its direction, with a `dir` that says so.
  void print(Direction direction, const FrameView& view, const CodecSpec& codec,
             const Endpoint* peer, Where where = Where::output);
  // Whether records come out as their bodies alone, so that print_bodies() does for many frames.
  bool bodies_only() const { return payload_only_; }
  void print_bodies(std::string_view bodies);
  // Whether records come out as lines on stdout and nowhere else, so that Output::write_text()
  // does for many of them.
  bool lines_only() const { return lines_only_; }
  // The same, with MESSAGE as it is for the text form.
  void print_message(const ShownFrame& frame, std::string_view content, const CodecSpec& codec);
  // Appends that text form: for lines_only().
  void append_line(std::string& out, const FrameView& view, const CodecSpec& codec) const;

 private:
  void emit(const ShownFrame& frame);

  Host* host_;
  WallTime time_;
  std::string line_;
  std::string hex_text_;
  bool hex_;
  bool text_;
  bool wanted_;
  bool lines_only_;    // nothing of a record is shown but its line
  bool payload_only_;  // nothing else of a record is shown
  Mark mark_;
  bool show_peer_;
};

}  // namespace netkit::frame
