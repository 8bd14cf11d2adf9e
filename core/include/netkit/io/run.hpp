// The run of an action, as far as its input needs it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/exit_status.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// [loop] A Host is one (netkit/plugin/host.hpp).
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
  // Ends the run with the next turn. The first call counts. `error` is one sentence: printed on
  // stderr, and in the `end` record with "ok":false.
  virtual void finish(ExitStatus status, std::string error = {}) = 0;

  // What a line editor has the terminal with.
  struct Editor {
    std::function<void()> restore;                     // gives the terminal's modes back
    std::function<void(std::string_view text)> print;  // takes what standard output would get
  };
  // An editor has the terminal from here on; one without functions: nobody has it any more.
  // `restore` is called on ways out that do not destroy the editor.
  virtual void lend_terminal(Editor editor) = 0;
};

}  // namespace netkit
