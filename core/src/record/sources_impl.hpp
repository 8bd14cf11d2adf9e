// The sources of a run, as the command line names them.
#pragma once

#include "io/line_reader.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/loop/process.hpp>
#include <netkit/record/source.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/file_descriptor.hpp>

namespace netkit {

class SourcesImpl final : public Sources {
 public:
  SourcesImpl(Run& run, Handler& handler, const Options& options);
  ~SourcesImpl() override;

  void pause() override;
  void resume() override;
  bool paused() const override { return paused_; }
  bool ended() const override { return ended_; }
  bool has_ticker() const override { return ticks_.pending(); }
  bool has_input() const override { return !inputs_.empty(); }

 private:
  class TypedLines;

  struct Input {
    std::string name;  // as it was typed
    FileDescriptor fd;
    std::unique_ptr<Process> process;
    std::unique_ptr<LineReader> reader;
    std::unique_ptr<TypedLines> typed;  // at a terminal, instead of the reader
    bool at_end = false;                // nothing more to read
    bool process_running = false;       // its status is awaited
  };

  void open_input(const std::string& name);
  void open_command(Input& input, const std::string& command);
  void start_ticker(Duration period, const std::string& message);
  void take_line(const Input& input, const Line& line);
  void take_end(Input& input, int error);
  void process_ended(Input& input, ProcessEnd end);
  void fail(ExitStatus status, const std::string& error);
  void check_end();
  void tick();

  Run& run_;
  Handler& handler_;
  std::string history_;
  std::size_t max_line_;
  std::list<Input> inputs_;
  Timer ticks_;
  std::optional<Template> message_;
  std::string tick_text_;
  std::uint64_t tick_count_ = 0;
  Timer told_;
  bool paused_ = true;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace netkit
