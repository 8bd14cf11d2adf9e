#include "io/line_reader.hpp"
#include "io/prompt.hpp"

#include <algorithm>
#include <csignal>
#include <pthread.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/io/input.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

// How long a line may be, for people: with the option that says it, where the action has one.
std::string line_limit_text(const Run& run, std::size_t limit) {
  return format_size(limit) + (run.max_line() ? " (--max-line)" : "");
}

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

// Lines typed at a prompt. What is printed meanwhile, records and log lines, goes above it.
class PromptInput final : public Input {
 public:
  PromptInput(Run& run, Handler& handler, Options options)
      : run_(run),
        handler_(handler),
        max_line_(options.max_line),
        complete_(std::move(options.complete)),
        prompt_(run.loop(), {.text = std::move(options.prompt), .history = options.history},
                callbacks()) {
    run_.lend_terminal(
        {[this] { prompt_.hide(); },
         [this](std::string_view text) { prompt_.print_above(STDOUT_FILENO, text); }});
    redirect_log();
    begin_ = run_.loop().after(Duration::zero(), [this] { prompt_.show(); });
  }

  ~PromptInput() override {
    if (log_redirected_) run_.log().redirect({});
    run_.lend_terminal({});
  }

  void pause() override { prompt_.pause(); }
  void resume() override { prompt_.resume(); }
  bool ended() const override { return prompt_.ended(); }
  void set_prompt(std::string prompt) override { prompt_.set_text(std::move(prompt)); }
  bool wipe_typed() override { return prompt_.wipe_typed(); }

 private:
  Prompt::Callbacks callbacks() {
    Prompt::Callbacks calls{.on_line = [this](const std::string& line) { take_line(line); },
                            .on_end = [this] { handler_.on_input_end(); },
                            .on_interrupt = [] { ::kill(::getpid(), SIGINT); }};
    if (complete_) {
      calls.complete = [this](std::string_view line, std::string_view word) {
        PromptCompletion found{.words = complete_(line, word)};
        std::erase_if(found.words, [&](const std::string& one) { return !one.starts_with(word); });
        found.go_on = found.words.size() == 1 && found.words.front().ends_with(':');
        return found;
      };
    }
    return calls;
  }

  void take_line(const std::string& line) {
    if (line.size() <= max_line_) return handler_.on_input_line(line);
    if (handler_.on_long_line()) return;
    run_.log().error(fmt::format("the line was rejected: it is longer than {}",
                                 line_limit_text(run_, max_line_)));
  }

  void redirect_log() {
    if (::isatty(STDERR_FILENO) != 1) return;
    log_redirected_ = true;
    run_.log().redirect([this, thread = pthread_self(),
                         alive = std::weak_ptr<char>(alive_)](std::string_view line) {
      if (pthread_equal(pthread_self(), thread) != 0) {
        return prompt_.print_above(STDERR_FILENO, line);
      }
      // readline may be used on the loop's thread only.
      run_.loop().post([this, alive, text = std::string(line)] {
        if (!alive.expired()) return prompt_.print_above(STDERR_FILENO, text);
        static_cast<void>(write_all(STDERR_FILENO, text));
      });
    });
  }

  Run& run_;
  Handler& handler_;
  std::size_t max_line_;
  std::function<std::vector<std::string>(std::string_view, std::string_view)> complete_;
  bool log_redirected_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  Timer begin_;
  Prompt prompt_;
};

}  // namespace

std::unique_ptr<Input> Input::open(Run& run, Handler& handler, Options options) {
  options.max_line = run.max_line().value_or(options.max_line);
  if (run.interactive()) return std::make_unique<PromptInput>(run, handler, std::move(options));
  return std::make_unique<PlainInput>(run, handler, options.max_line);
}

}  // namespace netkit
