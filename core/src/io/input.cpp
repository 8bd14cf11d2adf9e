#include "io/line_reader.hpp"
#include "io/prompt_input.hpp"

#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/io/input.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

// Standard input from a pipe or a file.
class PlainInput final : public Input {
 public:
  PlainInput(Run& run, Handler& handler, std::size_t max_line)
      : run_(run),
        handler_(handler),
        reader_(run.loop(), STDIN_FILENO, max_line,
                {[this](const Line& line) { take_line(line); },
                 [this](int error) { take_end(error); }}) {
    reader_.resume();
  }

  void pause() override { reader_.pause(); }
  void resume() override {
    if (!failed_) reader_.resume();
  }
  bool ended() const override { return reader_.ended(); }
  void set_prompt(std::string /*prompt*/) override {}

 private:
  void take_line(const Line& line) {
    if (!line.too_long) return handler_.on_input_line(line.text);
    if (handler_.on_long_line()) return;
    fail(ExitStatus::protocol, fmt::format("a line of standard input is longer than {}",
                                           line_limit_text(run_, line.text.size())));
  }

  void take_end(int error) {
    if (error == 0) return handler_.on_input_end();
    fail(ExitStatus::output, fmt::format("cannot read standard input: {}", error_text(error)));
  }

  void fail(ExitStatus status, const std::string& error) {
    failed_ = true;
    reader_.pause();
    if (!handler_.on_input_failed(status, error)) run_.finish(status, error);
  }

  Run& run_;
  Handler& handler_;
  bool failed_ = false;
  LineReader reader_;
};

}  // namespace

std::string line_limit_text(const Run& run, std::size_t limit) {
  return format_size(limit) + (run.max_line() ? " (--max-line)" : "");
}

std::unique_ptr<Input> Input::open(Run& run, Handler& handler, Options options) {
  options.max_line = run.max_line().value_or(options.max_line);
  if (run.interactive()) return open_prompt(run, handler, std::move(options));
  return std::make_unique<PlainInput>(run, handler, options.max_line);
}

}  // namespace netkit
