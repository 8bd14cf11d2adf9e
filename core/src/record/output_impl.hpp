// The sinks of a run, as the command line names them.
#pragma once

#include "record/exec_sink.hpp"
#include "record/sink.hpp"
#include "record/stream_sinks.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/record/output.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct OutputOptions {
  Format format = Format::text;
  std::optional<Template> record_template;  // --template
  std::vector<std::string> to = {"-"};      // --to
  ExecLimits exec;
  bool colored = false;
  bool escapes = true;          // text for terminals; not with --escape never
  bool hide_on_stdout = false;  // -q of a server: stdout gets the end record only
};

struct OutputContext {
  EventLoop& loop;
  Log& log;
  std::span<const RecordDef> definitions;
  SinkFailure failed;
  std::function<void()> reader_gone;  // standard output is closed
  int stop_fd = -1;                   // see StdoutWriter
  // Opens a sink that this area does not know. Throws Error.
  std::function<std::unique_ptr<Sink>(const SinkSpec& spec, std::size_t number,
                                      std::unique_ptr<Formatter> formatter)>
      open_other{};
};

// [loop]
class NETKIT_API OutputImpl final : public Output {
 public:
  // Opens every sink; resolves names, which may block. Throws Error.
  OutputImpl(const OutputOptions& options, const OutputContext& context);

  void emit(const Record& record) override;
  bool flush() override;
  bool flush_all() override;
  Format format() const override { return format_; }
  bool wanted() const override { return !wanting_.empty(); }
  bool colored() const override { return colored_; }
  void write_text(std::string_view text) override;
  bool blocked() const override { return stdout_ != nullptr && stdout_->is_blocked(); }
  void on_unblocked(std::function<void()> callback) override;

  // The JSON `end` record, to all that get JSON lines.
  void emit_end(std::string_view line);
  // Whether records are still on their way to a command.
  bool busy() const;
  // Whether a sink skipped a record because it accepts none like it.
  bool has_left_out() const;
  void add_totals(Totals& totals) const;
  // As Sink has it.
  void refuse_loops(std::span<const Endpoint> locals) const;
  // What goes to standard output passes through `writer` instead, while it is set.
  void redirect(std::function<void(std::string_view)> writer);
  // Called before each write to standard output.
  void set_before_write(std::function<void()> callback);
  // See StdoutSink.
  void set_deadline(TimePoint deadline, bool final);
  void set_patience(Duration patience);
  bool has_unwritten() const;  // to standard output, after a flush that was cut short

 private:
  void open_sink(const SinkSpec& spec, const OutputOptions& options, const OutputContext& context);
  std::unique_ptr<Formatter> make_formatter(SinkKind kind, const OutputOptions& options,
                                            const OutputContext& context) const;
  std::size_t number_of(SinkKind kind);
  bool is_written() const;
  void await_room();
  void on_reader();
  void watch_reader();

  EventLoop& loop_;
  Format format_;
  bool colored_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::vector<Sink*> wanting_;  // those that take records
  std::vector<SinkKind> kinds_;
  StdoutSink* stdout_ = nullptr;
  std::function<void()> unblocked_;
  bool ends_with_reader_ = false;
  Watch reader_;  // of standard output: until it has gone, or for when it has room again
  Hook flush_hook_;
};

}  // namespace netkit
