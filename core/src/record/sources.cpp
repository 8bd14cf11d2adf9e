#include "io/line_reader.hpp"
#include "record/command_ticker.hpp"
#include "record/network_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/io/input.hpp>
#include <netkit/loop/process.hpp>
#include <netkit/record/source.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxLine = 1 << 20;

// A shell stops a background job that sets up its terminal, such as a server whose source is
// standard input only by default.
bool owns_terminal() {
  return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

}  // namespace

class SourcesImpl final : public Sources {
 public:
  SourcesImpl(Run& run, Handler& handler, const Options& options);
  ~SourcesImpl() override;

  void pause() override;
  void resume() override;
  bool paused() const override { return paused_; }
  bool ended() const override { return ended_; }
  bool has_ticker() const override { return ticks_.pending() || command_; }
  bool has_input() const override { return !inputs_.empty(); }

 private:
  class TypedLines;

  struct Input {
    std::string name;  // as it was typed
    FileDescriptor fd;
    std::unique_ptr<Process> process;
    std::unique_ptr<LineReader> reader;
    std::unique_ptr<TypedLines> typed;  // at a terminal, instead of the reader
    std::unique_ptr<RecordFeed> feed;   // likewise; it never ends
    void pause();
    void resume();
    bool at_end = false;           // nothing more to read
    bool process_running = false;  // its status is awaited
  };

  void open_input(const std::string& name);
  void open_command(Input& input, const std::string& command);
  void start_ticker(const Options& options);
  void tell_unread();
  void take_line(const Input& input, const Line& line);
  WallTime arrival();
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
  std::unique_ptr<CommandTicker> command_;
  Timer ticks_;
  std::optional<Template> message_;
  std::string tick_text_;
  std::uint64_t tick_count_ = 0;
  TimePoint turn_ = TimePoint::min();  // of the loop, and the wall clock's time in it
  WallTime arrived_{};
  Watch unread_;
  Timer told_;
  bool paused_ = true;
  bool ended_ = false;
  bool failed_ = false;
};

// What is typed at a prompt.
class SourcesImpl::TypedLines final : private netkit::Input::Handler {
 public:
  TypedLines(SourcesImpl& sources, Input& input) : sources_(sources), input_(input) {
    prompt_ = netkit::Input::open(
        sources.run_, *this,
        {.history = sources.history_, .max_line = sources.max_line_, .complete = {}});
    prompt_->pause();
  }
  void pause() { prompt_->pause(); }
  void resume() { prompt_->resume(); }

 private:
  void on_input_line(std::string_view line) override {
    sources_.handler_.on_source_record(line, sources_.arrival());
  }
  void on_input_end() override { sources_.take_end(input_, 0); }

  SourcesImpl& sources_;
  Input& input_;
  std::unique_ptr<netkit::Input> prompt_;
};

void SourcesImpl::Input::pause() {
  if (typed) return typed->pause();
  if (feed) return feed->pause();
  reader->pause();
}

void SourcesImpl::Input::resume() {
  if (typed) return typed->resume();
  if (feed) return feed->resume();
  reader->resume();
}

std::unique_ptr<Sources> Sources::open(Run& run, Handler& handler, const Options& options) {
  return std::make_unique<SourcesImpl>(run, handler, options);
}

SourcesImpl::SourcesImpl(Run& run, Handler& handler, const Options& options)
    : run_(run),
      handler_(handler),
      history_(options.history),
      max_line_(std::max<std::size_t>(run.max_line().value_or(kMaxLine), 1)) {
  for (const std::string& name : options.from) open_input(name);
  if (options.every != kNever) start_ticker(options);
  if (options.tell_unread) tell_unread();
}

SourcesImpl::~SourcesImpl() = default;

void SourcesImpl::open_input(const std::string& name) {
  const auto is_stdin = [](const Input& other) { return other.name == "-"; };
  if (name == "-" && std::any_of(inputs_.begin(), inputs_.end(), is_stdin)) return;
  Input& input = inputs_.emplace_back();
  input.name = name;
  int fd = STDIN_FILENO;
  if (name.starts_with("file:")) {
    // Non-blocking, so that a named pipe without a writer is waited for on the loop.
    const std::string path = name.substr(5);
    input.fd.reset(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!input.fd) throw SystemError(errno, fmt::format("--from: cannot open '{}'", path));
    fd = input.fd.get();
  } else if (name.starts_with("exec:")) {
    open_command(input, name.substr(5));
    fd = input.fd.get();
  } else if (NetworkSource::is_one(name)) {
    input.feed = NetworkSource::open(run_, name, max_line_, [this](std::string_view text) {
      handler_.on_source_record(text, arrival());
    });
    return;
  } else if (name != "-") {
    if (auto* const opener = dynamic_cast<FeedOpener*>(&run_)) {
      input.feed = opener->open_feed(name, [this](std::string_view text, WallTime time) {
        handler_.on_source_record(text, time);
      });
    }
    if (input.feed) return;
    throw UsageError(
        fmt::format("--from: '{}' is not a source (write -, file:PATH, exec:COMMAND, "
                    "udp:ADDRESS, tcp:ADDRESS, unix:PATH or STORE/STREAM)",
                    name));
  } else if (run_.interactive() && owns_terminal()) {
    input.typed = std::make_unique<TypedLines>(*this, input);
    return;
  }
  input.reader = std::make_unique<LineReader>(
      run_.loop(), fd, max_line_,
      LineReader::Callbacks{[this, &input](const Line& line) { take_line(input, line); },
                            [this, &input](int error) { take_end(input, error); }});
}

void SourcesImpl::open_command(Input& input, const std::string& command) {
  ProcessOptions options;
  options.shell_command = command;
  options.pipe_stdout = true;
  options.own_group = true;
  input.process = Process::start(run_.loop(), options,
                                 [this, &input](ProcessEnd end) { process_ended(input, end); });
  input.process_running = true;
  input.fd = input.process->take_stdout();
}

void SourcesImpl::start_ticker(const Options& options) {
  if (options.every <= Duration::zero()) throw UsageError("--every: must be more than 0");
  if (!options.exec.empty()) {
    command_ = std::make_unique<CommandTicker>(run_, handler_, options);
    return;
  }
  message_ = Template::parse(options.message, "--message");
  ticks_ = run_.loop().every(options.every, [this] { tick(); });
}

// Piped data is meant to be read. Silent pipes, /dev/null and terminals mean nothing.
void SourcesImpl::tell_unread() {
  struct stat status = {};
  if (::fstat(STDIN_FILENO, &status) != 0) return;
  const auto say = [this] { run_.log().notice("standard input is not read (--from - reads it)"); };
  if (S_ISREG(status.st_mode) && status.st_size > 0) return say();
  if (!S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode)) return;
  unread_ = run_.loop().watch(STDIN_FILENO, Interest::read, [this, say](Ready) {
    int bytes = 0;
    if (::ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 && bytes > 0) say();
    unread_.reset();
  });
}

void SourcesImpl::tick() {
  if (paused_) return;
  const Field fields[] = {{"seq", ++tick_count_}};
  Record record;
  record.type = "tick";
  record.time = run_.clock().wall();
  record.fields = fields;
  tick_text_.clear();
  message_->render(record, tick_text_, Escaping::none);
  handler_.on_source_record(tick_text_, record.time);
}

void SourcesImpl::take_line(const Input& input, const Line& line) {
  if (line.too_long) {
    return fail(ExitStatus::protocol,
                fmt::format("a line of --from {} is longer than {} (--max-line)", input.name,
                            format_size(max_line_)));
  }
  handler_.on_source_record(line.text, arrival());
}

// Lines of one turn arrived together: reading the clock costs more than most lines.
WallTime SourcesImpl::arrival() {
  if (const TimePoint now = run_.loop().now(); now != turn_) {
    turn_ = now;
    arrived_ = run_.clock().wall();
  }
  return arrived_;
}

void SourcesImpl::take_end(Input& input, int error) {
  input.at_end = true;
  if (error == 0) return check_end();
  fail(ExitStatus::output, fmt::format("cannot read --from {}: {}", input.name, error_text(error)));
}

void SourcesImpl::fail(ExitStatus status, const std::string& error) {
  pause();
  failed_ = true;
  if (!handler_.on_source_failed(status, error)) run_.finish(status, error);
}

void SourcesImpl::process_ended(Input& input, ProcessEnd end) {
  input.process_running = false;
  if (end.status != 0) {
    run_.log().notice(fmt::format("{} ended with status {}", input.name, end.status));
  }
  check_end();
}

void SourcesImpl::check_end() {
  const auto over = [](const Input& input) { return input.at_end && !input.process_running; };
  if (ended_ || has_ticker() || !std::all_of(inputs_.begin(), inputs_.end(), over)) return;
  ended_ = true;
  handler_.on_sources_end();
}

void SourcesImpl::pause() {
  paused_ = true;
  if (command_) command_->pause();
  for (Input& input : inputs_) input.pause();
}

void SourcesImpl::resume() {
  if (!paused_ || failed_) return;
  paused_ = false;
  if (command_) command_->resume();
  for (Input& input : inputs_) input.resume();
  if (!inputs_.empty() || has_ticker() || ended_) return;
  // No source at all has ended as well.
  told_ = run_.loop().after(Duration::zero(), [this] { check_end(); });
}

}  // namespace netkit
