#include "io/line_reader.hpp"
#include "io/prompt_input.hpp"

#include <unistd.h>
#include <utility>

#include <netkit/io/input.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/size.hpp>

namespace netkit {
namespace {

bool has_max_line(const Values& values) {
  return values.declared("max-line") && values.has("max-line");
}

// Standard input from a pipe or a file.
class PlainInput final : public Input {
 public:
  PlainInput(Host& host, Handler& handler, std::size_t max_line)
      : host_(host),
        handler_(handler),
        reader_(host.loop(), STDIN_FILENO, max_line,
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
    fail(ExitStatus::protocol,
         "a line of standard input is longer than " + line_limit_text(host_, line.text.size()));
  }

  void take_end(int error) {
    if (error == 0) return handler_.on_input_end();
    fail(ExitStatus::output, "cannot read standard input: " + error_text(error));
  }

  void fail(ExitStatus status, const std::string& error) {
    failed_ = true;
    reader_.pause();
    if (!handler_.on_input_failed(status, error)) host_.finish(status, error);
  }

  Host& host_;
  Handler& handler_;
  bool failed_ = false;
  LineReader reader_;
};

}  // namespace

std::string line_limit_text(const Host& host, std::size_t limit) {
  return format_size(limit) + (has_max_line(host.values()) ? " (--max-line)" : "");
}

std::unique_ptr<Input> Input::open(Host& host, Handler& handler, Options options) {
  const Values& values = host.values();
  if (has_max_line(values)) {
    options.max_line = static_cast<std::size_t>(values.size("max-line"));
  }
  if (host.interactive()) return open_prompt(host, handler, std::move(options));
  return std::make_unique<PlainInput>(host, handler, options.max_line);
}

}  // namespace netkit
