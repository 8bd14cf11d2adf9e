// Where records come from: `--from -`, `file:PATH`, `exec:COMMAND`, `udp:ADDRESS`, `tcp:ADDRESS`,
// `unix:PATH`, `--every D` with `--message T` or `--exec CMD`. At a terminal (Run::interactive())
// standard input is typed at a prompt.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/io/input.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] All sources of one run, merged. A line longer than `--max-line` is an error that names the
// option (76), one that cannot be read is another (74): they end the run. A command that ends with
// a status is a line on stderr, and ends only itself.
class NETKIT_API Sources {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // One record; `text` is valid during the call only. LF or CRLF at its end is not part of it.
    virtual void on_source_record(std::string_view text, WallTime time) = 0;
    // Every source has ended; never when there is a ticker. Called once, on the loop, never from
    // open().
    virtual void on_sources_end() = 0;
    // A source cannot be read further: a line is longer than `--max-line`, or there was an error.
    // All sources stop. True: the handler ends the run with both, once what is due has been
    // done. False: the run ends at once.
    virtual bool on_source_failed(ExitStatus /*status*/, const std::string& /*error*/) {
      return false;
    }
  };

  struct Options {
    std::vector<std::string> from{};  // as typed: `-`, `file:PATH`, …
    Duration every = kNever;          // of the ticker; kNever: there is none
    std::string message{};            // of the ticker, a template
    std::string exec{};               // instead: what this command prints each time, to 64 KiB
    bool on_change = false;           // of exec: only when it is not what it was before
    std::string history{};            // see Input::Options
    bool tell_unread = false;         // report once if standard input, which is not read, has data
  };

  // Throws Error. Starts paused: resume() begins. A plugin calls open_sources()
  // (netkit/plugin/host.hpp), which asks the command line.
  static std::unique_ptr<Sources> open(Run& run, Handler& handler, const Options& options);
  virtual ~Sources() = default;
  virtual void
  pause() = 0;  // no more records until resume(); at once, also within a batch of lines
  virtual void resume() = 0;
  virtual bool paused() const = 0;
  virtual bool ended() const = 0;
  virtual bool has_ticker() const = 0;
  virtual bool has_input() const = 0;  // something that can end: stdin, a file, a command
};

}  // namespace netkit
