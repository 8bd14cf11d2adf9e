// `--exec CMD --every D`: the output of a command, as one record each time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <netkit/io/input.hpp>
#include <netkit/loop/process.hpp>
#include <netkit/record/source.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// [loop] One command at a time: a run that is due while the previous one is still running is
// skipped. A newline at the end of the output is not part of it. The output of a command that ends
// with a status other than 0 is discarded.
class CommandTicker {
 public:
  // Of Sources::Options: exec, every, on_change. `run` and `handler` outlive it. Starts paused.
  CommandTicker(Run& run, Sources::Handler& handler, const Sources::Options& options);
  void pause() { paused_ = true; }
  void resume();

 private:
  void tick();
  void read();
  void ended(ProcessEnd end);
  void take();

  static constexpr std::size_t kMaxOutput = 1 << 16;  // bytes

  Run& run_;
  Sources::Handler& handler_;
  std::string command_;
  bool on_change_;
  Timer timer_;
  Timer resumed_;
  std::unique_ptr<Process> process_;
  FileDescriptor output_fd_;
  Watch watch_;
  std::string output_;
  std::string before_;
  bool any_before_ = false;
  bool paused_ = true;
  bool running_ = false;  // its end is awaited
  bool reading_ = false;  // its output is awaited
  bool waiting_ = false;  // its record, for the end of a pause
  bool too_long_ = false;
  int status_ = 0;
  int last_status_ = 0;  // of the run before; what fails again and again is said once
};

}  // namespace netkit
