// Standard input as lines: from a pipe or file, or typed at a prompt with editing, completion and
// history.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/io/run.hpp>
#include <netkit/util/exit_status.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

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
    // A line is longer than Options::max_line and was thrown away. True: that has been said, and
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
    // Candidates for the word that is being typed; `line` is all up to the cursor. May be empty. A
    // blank follows one that is taken, unless it ends with a colon.
    std::function<std::vector<std::string>(std::string_view line, std::string_view word)> complete;
  };

  // Starts reading with the next turn of the loop.
  static std::unique_ptr<Input> open(Run& run, Handler& handler, Options options);
  virtual ~Input() = default;  // restores the terminal
  virtual void pause() = 0;    // for backpressure; at once, also within a batch of lines
  virtual void resume() = 0;
  virtual bool ended() const = 0;
  virtual void set_prompt(std::string prompt) = 0;
};

}  // namespace netkit
