// Lines from a descriptor: what standard input, files and commands have in common.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] Starts paused. Reads one buffer a turn, so that other descriptors have their share. It may
// be paused, resumed and destroyed in any of its callbacks.
class NETKIT_API LineReader {
 public:
  struct Callbacks {
    std::function<void(const Line&)> on_line;
    // The input has ended, with an errno where reading failed; once, and last.
    std::function<void(int error)> on_end;
  };

  // `fd` stays the caller's and must outlive the reader; it is not made non-blocking.
  LineReader(EventLoop& loop, int fd, std::size_t max_line, Callbacks callbacks);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  void pause();  // at once, also within a batch of lines
  void resume();
  bool paused() const;
  bool ended() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace netkit
