// The file of `--record`, which `frame replay` reads. Text, a line a record, so that it can be
// appended to, looked at, cut and joined with any tool:
//
//     netkit-frame-recording 1
//     0.000000000 1 > AAAAAQI=
//     0.000412345 1 < AAAAFQIAMjAyNi0xMS0yMCAxNToxMjoyOQ==
//
// A header line begins each run that was recorded; a file that was appended to has several. A
// record has, with one blank between: the seconds since its run began by the monotonic clock, with
// nine decimals; the number of the connection within the run, from 1; `>` for bytes from the client
// to the server, `<` for the others; the bytes in base64, as they were on the wire. Every record
// ends with LF, so a last line without one was cut short. Empty lines and lines that begin with `#`
// are skipped.
#pragma once

#include <cstdint>
#include <frame/message.hpp>
#include <string>
#include <string_view>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/file.hpp>

namespace netkit::frame {

struct RecordedBytes {
  Duration offset{};  // since the run began, never negative
  std::uint64_t connection = 1;
  Direction direction = Direction::to_server;
  std::string bytes;
  std::uint64_t run = 0;  // reading: which run of the file, from 1
};

// Append one whole line each: what a recorder writes with a single write().
void append_recording_header(std::string& out);
void append_recorded(std::string& out, Duration offset, std::uint64_t connection,
                     Direction direction, std::string_view bytes);

// Reads a recording, whatever the pieces it comes in.
class RecordingReader {
 public:
  enum class Fault : std::uint8_t {
    none,
    no_header,  // the first line is not a recording's
    version,    // a header of another version
    bad_line,   // not a record
    cut_short,  // the last line has no LF
    too_long,   // a line over the limit
  };

  // `max_bytes`: the most bytes that one record may hold (--max-frame, or the read buffer's size,
  // whichever is more). A longer line is a fault.
  explicit RecordingReader(std::size_t max_bytes);

  // Calls `sink(const RecordedBytes&)` for every record that `data` completes. The first fault ends
  // the reading: it is returned, then and ever after. The sink must not feed the reader.
  template <typename Sink>
  Fault feed(std::string_view data, Sink&& sink) {
    lines_.feed(data, [&](const Line& line) { return take(line, sink); });
    return fault_;
  }
  // The file has ended. An empty file has no header.
  template <typename Sink>
  Fault finish(Sink&& sink) {
    lines_.finish([&](const Line& line) { return take(line, sink); });
    if (fault_ == Fault::none && record_.run == 0) fault_ = Fault::no_header;
    return fault_;
  }

  // The number of the line that was read last, from 1: where the fault is.
  std::uint64_t line() const { return lines_.lines(); }
  // "line 7 is no record", for people.
  std::string fault_text() const;

 private:
  template <typename Sink>
  bool take(const Line& line, Sink& sink) {
    if (parse(line)) sink(static_cast<const RecordedBytes&>(record_));
    return fault_ == Fault::none;
  }
  bool parse(const Line& line);  // true if record_ is a new record
  bool parse_record(std::string_view text);

  LineDecoder lines_;
  RecordedBytes record_;
  Fault fault_ = Fault::none;
};

// [loop] Without a path it does nothing. A write that fails ends the run with a message and 74.
class Recorder {
 public:
  // Opens the file for appending and begins a run. Throws SystemError.
  Recorder(Host& host, const std::string& path);

  std::uint64_t next_connection() { return ++connections_; }
  void record(std::uint64_t connection, Direction direction, std::string_view bytes) {
    if (file_.is_open()) append(connection, direction, bytes);
  }

 private:
  void append(std::uint64_t connection, Direction direction, std::string_view bytes);

  Host* host_;
  std::string path_;
  AppendFile file_;
  std::string line_;
  TimePoint start_;
  std::uint64_t connections_ = 0;
};

}  // namespace netkit::frame
