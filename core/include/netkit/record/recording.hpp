// The file of `--record`, which a replay reads. Text, a line a record, so that it can be appended
// to, looked at, cut and joined with any tool:
//
//     netkit-frame-recording 1
//     0.000000000 1 > AAAAAQI=
//     0.000412345 1 < AAAAFQIAMjAyNi0xMS0yMCAxNToxMjoyOQ==
//
// A header line, which names the command, begins each run that was recorded; a file that was
// appended to has several. A record has, with one blank between: the seconds since its run began by
// the monotonic clock, with nine decimals; the number of the connection within the run, from 1; `>`
// for bytes from the client to the server, `<` for the others; the bytes in base64, as they were on
// the wire. Every record ends with LF, so a last line without one was cut short. Empty lines and
// lines that begin with `#` are skipped.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/io/input.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// Which way bytes go: a client's requests, a server's answers.
enum class Direction : std::uint8_t { to_server, to_client };

struct RecordedBytes {
  Duration offset{};  // since the run began, never negative
  std::uint64_t connection = 1;
  Direction direction = Direction::to_server;
  std::string bytes;
  std::uint64_t run = 0;  // reading: which run of the file, from 1
};

// Append one whole line each: what a recorder writes with a single write().
NETKIT_API void append_recording_header(std::string& out, std::string_view command);
NETKIT_API void append_recorded(std::string& out, Duration offset, std::uint64_t connection,
                                Direction direction, std::string_view bytes);

// When bytes recorded at `offset` are due, counted from the first byte and replayed `speed` times
// as fast; 0: everything is due at once. A year at most. Any thread.
NETKIT_API Duration replayed_after(Duration offset, double speed);

// Reads the recording of a command, whatever the pieces it comes in. [one thread]
class NETKIT_API RecordingReader {
 public:
  enum class Fault : std::uint8_t {
    none,
    no_header,  // the first line is not a recording's
    version,    // a header of another version
    bad_line,   // not a record
    cut_short,  // the last line has no LF
    too_long,   // a line over the limit
  };

  // `max_bytes`: the most bytes that one record may hold, and the option that says so. A longer
  // line is a fault. `limit_option` outlives the reader.
  RecordingReader(std::string_view command, std::size_t max_bytes, std::string_view limit_option);

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
  // "line 7 is not a record", for people.
  std::string fault_text() const;

 private:
  template <typename Sink>
  bool take(const Line& line, Sink& sink) {
    if (parse(line)) sink(static_cast<const RecordedBytes&>(record_));
    return fault_ == Fault::none;
  }
  bool parse(const Line& line);  // true if record_ is a new record
  bool parse_record(std::string_view text);

  std::string command_;
  std::string magic_;  // what a header begins with
  std::string_view limit_option_;
  LineDecoder lines_;
  RecordedBytes record_;
  Fault fault_ = Fault::none;
};

// The records of a file, one after the other, and when each is due. [one thread]
class NETKIT_API RecordingPlayer {
 public:
  struct Options {
    std::string path;
    std::string_view command;                       // whose recordings it takes
    std::size_t max_bytes = std::size_t{1} << 20U;  // as RecordingReader has it
    std::string_view limit_option;
    double speed = 1;         // how many times as fast; 0: everything is due at once
    bool is_watched = false;  // do not block on an empty pipe: see awaited()
  };

  // The first run begins at `start`. Throws SystemError if the file cannot be opened.
  RecordingPlayer(const Options& options, TimePoint start);

  // The next record, valid until pop(). Null at the end of the file, after a fault (see error()),
  // and while more is awaited (see awaited()).
  const RecordedBytes* front();
  // The descriptor that becomes readable when more has arrived: with Options::is_watched, after
  // front() was null although the file has not ended. Otherwise -1.
  int awaited() const { return is_awaited_ ? file_.get() : -1; }
  void pop() { waiting_.pop_front(); }
  // When front() is due. A further run of the file begins when the one before it has ended.
  TimePoint due();

  // One sentence, empty while all is well, and its status.
  const std::string& error() const { return error_; }
  ExitStatus status() const { return status_; }
  std::uint64_t line() const { return reader_.line(); }  // that was read last

 private:
  void read_more();
  void fail(ExitStatus status, std::string_view why);

  std::string path_;
  double speed_;
  FileDescriptor file_;
  RecordingReader reader_;
  std::deque<RecordedBytes> waiting_;
  TimePoint base_;  // when the run began
  TimePoint last_due_;
  std::uint64_t run_ = 0;
  bool ended_ = false;
  bool is_awaited_ = false;
  ExitStatus status_ = ExitStatus::done;
  std::string error_;
};

// [loop] Without a path it does nothing. A write that fails ends the run with a message and 74.
class NETKIT_API Recorder {
 public:
  // Opens the file for appending and begins a run of `command`. Throws SystemError. `run` outlives
  // it.
  Recorder(Run& run, std::string_view command, const std::string& path);

  bool is_open() const { return file_.is_open(); }
  std::uint64_t next_connection() { return ++connections_; }
  void record(std::uint64_t connection, Direction direction, std::string_view bytes) {
    if (file_.is_open()) append(connection, direction, bytes);
  }

 private:
  void append(std::uint64_t connection, Direction direction, std::string_view bytes);

  Run* run_;
  std::string path_;
  AppendFile file_;
  std::string line_;
  TimePoint start_;
  std::uint64_t connections_ = 0;
};

}  // namespace netkit
