// Standard input as lines: from a pipe or file, or typed at a prompt with editing, completion and
// history.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// What input and output need to know about the run of an action. [loop] A Host is one
// (netkit/plugin/host.hpp).
class NETKIT_API Run {
 public:
  virtual ~Run() = default;

  virtual EventLoop& loop() = 0;
  virtual const Clock& clock() const = 0;
  virtual Log& log() = 0;
  // stdin and stdout are terminals, and the output is text.
  virtual bool interactive() const = 0;
  // Bytes a line of input may have, as `--max-line` says; nothing where there is no such option.
  virtual std::optional<std::size_t> max_line() const = 0;
  // Ends the run with the next turn. The first call wins. `error` is one sentence: printed on
  // stderr, and in the `end` record with "ok":false.
  virtual void finish(ExitStatus status, std::string error = {}) = 0;

  // How a line editor restores the terminal, and prints.
  struct Editor {
    std::function<void()> restore;                     // restores the terminal's modes
    std::function<void(std::string_view text)> print;  // instead of standard output
  };
  // An editor owns the terminal from now on; one without functions: nobody does. `restore` is
  // called on exits that do not destroy the editor.
  virtual void lend_terminal(Editor editor) = 0;
};

// [loop] A prompt is used when stdin and stdout are terminals (Run::interactive()); what is
// printed meanwhile through Output and Log appears above the line being typed, which stays intact.
class NETKIT_API Input {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_input_line(
        std::string_view line) = 0;   // without its LF or CRLF; valid during the call
    virtual void on_input_end() = 0;  // EOF, Ctrl-D at an empty line; once, never from open()
    // A line is longer than Options::max_line and was discarded. True: that has been reported, and
    // the rest of the input is read. False: what Options::max_line says happens.
    virtual bool on_long_line() { return false; }
    // The input cannot be read further: such a line has come, or an error. True: the handler ends
    // the run with both, once what is due has been done. False: the run ends at once.
    virtual bool on_input_failed(ExitStatus /*status*/, const std::string& /*error*/) {
      return false;
    }
  };

  struct Options {
    std::string prompt = "> ";
    std::string history;  // name of the history file in $XDG_STATE_HOME/netkit/, 0600; empty: none
    std::size_t max_line =
        1 << 20;  // bytes; a longer line is an error (exit 76) that names the limit
    // Candidates for the word that is being typed; `line` is everything up to the cursor. May be
    // empty. A blank is added after an accepted one, unless it ends with a colon.
    std::function<std::vector<std::string>(std::string_view line, std::string_view word)> complete;
  };

  // Starts reading with the next turn of the loop.
  static std::unique_ptr<Input> open(Run& run, Handler& handler, Options options);
  virtual ~Input() = default;  // restores the terminal
  virtual void pause() = 0;    // for backpressure; at once, also within a batch of lines
  virtual void resume() = 0;
  virtual bool ended() const = 0;
  virtual void set_prompt(std::string prompt) = 0;
  // Within on_input_line(), before anything is printed: removes the typed line from the screen, to
  // print something in its place. False if nothing was typed, or the terminal cannot do that.
  virtual bool wipe_typed() { return false; }
};

}  // namespace netkit
