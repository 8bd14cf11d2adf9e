// `--exec CMD --every D`: what a command prints, again and again, each time as one record.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/loop/process.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/log.hpp>

namespace netkit::push {

// [loop] One command at a time: a turn that comes while the one before still runs is left out. A
// newline at the end of the output is not part of it. What a command printed that ended with
// another status than 0 is not taken.
class CommandTicker {
 public:
  struct Options {
    std::string command;  // for sh -c
    Duration every{};
    bool on_change = false;          // only when it is not what it was before
    std::size_t max_size = 1 << 16;  // bytes of output
  };
  using OnRecord = std::function<void(std::string_view text)>;

  // `log` outlives it. Starts paused.
  CommandTicker(EventLoop& loop, const Log& log, Options options, OnRecord on_record);
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }

 private:
  void tick();
  void read();
  void ended(ProcessEnd end);
  void take();

  EventLoop& loop_;
  const Log& log_;
  Options options_;
  OnRecord on_record_;
  Timer timer_;
  std::unique_ptr<Process> process_;
  FileDescriptor output_fd_;
  Watch watch_;
  std::string output_;
  std::string before_;
  bool any_before_ = false;
  bool paused_ = true;
  bool running_ = false;  // its end is awaited
  bool reading_ = false;  // its output is awaited
  bool too_long_ = false;
  int status_ = 0;
};

}  // namespace netkit::push
