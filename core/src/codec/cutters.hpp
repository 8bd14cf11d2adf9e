// The cutters (codec/cut.hpp), and beside each what writes the frames that it cuts.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/codec/length_layout.hpp>

namespace netkit {

// Frames by a length field, where there is more to them than the field and a content: a check, a
// field within the content, PostgreSQL's other first frame.
class LengthCutter {
 public:
  LengthCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data) const;
  static Cut last(std::string_view) { return Cut::more(); }
  static std::size_t stale() { return 0; }
  static std::size_t memory() { return 0; }

 private:
  LengthLayout layout_;
  std::optional<LengthLayout> after_zero_;  // of a frame that begins with a zero byte
};

std::shared_ptr<const FrameWriter> make_length_writer(const CodecSpec& spec);

// Frames with a mark after each: lines, and any other delimiter.
class DelimiterCutter {
 public:
  DelimiterCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  // The rest of a frame that is too long is no longer one.
  std::size_t stale() const { return skipping_ ? end_.size() : 0; }
  static std::size_t memory() { return 0; }

 private:
  Cut ended(std::string_view data, std::size_t end, std::size_t size);
  Cut unended(std::string_view data);

  std::string end_;
  std::uint64_t limit_;
  std::size_t scanned_ = 0;  // no end begins before it
  bool line_;                // a CR before the end goes, and a last line needs no end
  bool skipping_ = false;
};

std::shared_ptr<const FrameWriter> make_delimiter_writer(const CodecSpec& spec);

// Frames between a start mark and another end mark.
//
// After a start that turns out false (another one before any end, too much before an end, an escape
// that is none) it goes on behind that start with looking for the next.
class MarkCutter {
 public:
  MarkCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return outside_ ? start_.size() : 0; }
  std::size_t memory() const { return scratch_.memory(); }

 private:
  enum class Seen : std::uint8_t { byte, end, start, unknown };

  Cut find_start(std::string_view data);
  Seen look(std::string_view rest) const;
  Cut restart(FrameFault fault);
  Cut whole(std::string_view data);

  std::string start_;
  std::string end_;
  std::optional<char> escape_;
  std::uint64_t limit_;
  std::size_t scanned_ = 0;    // bytes of the frame at the front that are known
  std::uint64_t content_ = 0;  // bytes between its marks so far, escapes undone
  bool outside_ = false;
  Scratch scratch_;
};

std::shared_ptr<const FrameWriter> make_mark_writer(const CodecSpec& spec);

// Frames between flags, one byte that begins and ends them, with byte stuffing in between: SLIP,
// HDLC, and whatever has the same start and end.
struct FlagRules {
  char flag;
  std::optional<char> escape;
  char flag_code;    // what stands after an escape for the flag
  char escape_code;  // and for the escape
  bool any_code;     // any other byte may stand there, XORed with 0x20
  bool opens;        // a frame is nothing without the flag before it

  // Whether these rules do for a codec by marks.
  static bool fit(const CodecSpec& spec) { return spec.start == spec.end; }
  static FlagRules of(const CodecSpec& spec);
};

// The flag that ends a frame may begin the next. Nothing between two flags is no frame.
class FlagCutter {
 public:
  FlagCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return lone_ ? 1 : 0; }  // a flag that ended a frame, as it seems
  std::size_t memory() const { return scratch_.memory(); }

 private:
  Cut skip_to_flag(std::string_view data);
  Cut whole(std::string_view content, std::size_t size);
  bool unstuff(std::string_view content, const char* escape, std::string_view& image);

  FlagRules rules_;
  std::uint64_t limit_;
  std::uint64_t most_;  // bytes that a frame within the limit has between its flags
  std::size_t scanned_ = 0;
  bool open_;  // a flag stands before what is at the front
  bool skipping_ = false;
  bool lone_ = false;
  Scratch scratch_;
};

std::shared_ptr<const FrameWriter> make_flag_writer(const CodecSpec& spec);

// Consistent overhead byte stuffing (Cheshire and Baker): frames without a zero byte, and one after
// each.
class CobsCutter {
 public:
  explicit CobsCutter(std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  static std::size_t stale() { return 0; }
  std::size_t memory() const { return scratch_.memory(); }

 private:
  Cut whole(std::string_view stuffed, std::size_t size);

  std::uint64_t limit_;
  std::uint64_t most_;  // bytes that a frame within the limit has before its zero
  std::size_t scanned_ = 0;
  bool skipping_ = false;
  Scratch scratch_;
};

std::shared_ptr<const FrameWriter> make_cobs_writer(const CodecSpec& spec);

// Frames with nothing around them: of one size, or with silence after each.
//
// Where the check of a frame is wrong, the stream may have slipped: the next frame is the next run
// of bytes whose check is right, or else those behind the bad one. That is looked for at a limited
// number of places, since a peer can make each of them cost the check of a whole frame; after
// several bad frames in a row all places have had their turn.
class FixedCutter {
 public:
  FixedCutter(const CodecSpec& spec, std::uint64_t limit);

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return slipped_; }
  static std::size_t memory() { return 0; }

 private:
  Cut slip();

  std::shared_ptr<const Check> check_;
  std::uint64_t limit_;
  std::size_t size_;
  std::size_t most_tries_;     // places that are looked at for one bad frame
  std::size_t tries_ = 0;      // at the last one
  std::size_t first_try_ = 1;  // where in the next bad one they begin
  std::size_t slipped_ = 0;    // bytes at the front that were part of a bad frame
};

class IdleCutter {
 public:
  explicit IdleCutter(std::uint64_t limit) : limit_(limit) {}

  Cut cut(std::string_view data);
  Cut last(std::string_view data);  // after the silence
  bool waits(std::size_t unfinished) const { return unfinished > 0 || skipping_; }
  static std::size_t stale() { return 0; }
  static std::size_t memory() { return 0; }

 private:
  std::uint64_t limit_;
  bool skipping_ = false;
};

std::shared_ptr<const FrameWriter> make_block_writer(const CodecSpec& spec);

// NMEA 0183: `$` or `!`, a sentence, mostly `*` and its check in hexadecimal, CR LF.
class NmeaCutter {
 public:
  explicit NmeaCutter(std::uint64_t limit) : limit_(limit) {}

  Cut cut(std::string_view data);
  Cut last(std::string_view data);  // a sentence whose end of line is missing
  static std::size_t stale() { return 0; }
  static std::size_t memory() { return 0; }

 private:
  Cut whole(std::string_view sentence, std::size_t size) const;

  std::uint64_t limit_;  // of what stands between the start and the end of the line
  std::size_t scanned_ = 0;
};

std::shared_ptr<const FrameWriter> make_nmea_writer(const CodecSpec& spec);

// GT06: 78 78 and a length of one byte, or 79 79 and one of two; a content, a check, CR LF.
//
// A start whose length is impossible, or that has no end where its length says, is none.
class Gt06Cutter {
 public:
  explicit Gt06Cutter(std::uint64_t limit) : limit_(limit) {}

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return outside_ ? 1 : 0; }
  static std::size_t memory() { return 0; }

 private:
  std::uint64_t limit_;
  bool outside_ = false;
};

std::shared_ptr<const FrameWriter> make_gt06_writer(const CodecSpec& spec);

}  // namespace netkit
