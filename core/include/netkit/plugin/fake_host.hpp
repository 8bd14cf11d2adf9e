// A Host for tests of plugins: a real event loop, records and log lines kept in memory, a command
// line or single options set by the test, optionally a clock that the test moves. Headers only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <netkit/plugin/host.hpp>

namespace netkit::test {

// Moves only when the test says so.
class FakeClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_ += by;
  }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1795187549)};
};

// A record that owns its data.
struct KeptRecord {
  std::string type;
  WallTime time{};
  std::optional<Endpoint> peer;
  std::map<std::string, FieldValue> fields;  // texts are in `texts`
  std::map<std::string, std::string> texts;
  std::optional<std::string> payload;
  std::optional<std::string> line;

  explicit KeptRecord(const Record& record) : type(record.type), time(record.time) {
    if (record.peer != nullptr) peer = *record.peer;
    if (record.payload) payload = std::string(*record.payload);
    if (record.line) line = std::string(*record.line);
    for (const Field& field : record.fields) {
      const std::string name(field.name);
      if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        texts[name] = std::string(*text);
      } else {
        fields.emplace(name, field.value);
      }
    }
  }

  template <typename T>
  T get(const std::string& name) const {
    return std::get<T>(fields.at(name));
  }
};

class FakeOutput final : public Output {
 public:
  void emit(const Record& record) override { records.emplace_back(record); }
  bool flush() override { return !is_blocked; }
  bool flush_all() override { return flush(); }
  Format format() const override { return output_format; }
  bool wanted() const override { return is_wanted; }
  bool colored() const override { return false; }
  void write_text(std::string_view bytes) override { text += bytes; }
  bool blocked() const override { return is_blocked; }
  void on_unblocked(std::function<void()> callback) override { unblocked = std::move(callback); }

  std::vector<KeptRecord> records;
  std::string text;
  Format output_format = Format::text;
  bool is_wanted = true;
  bool is_blocked = false;
  std::function<void()> unblocked;
};

class FakeHost final : public Host {
 public:
  FakeHost() : FakeHost(std::map<std::string, std::vector<std::string>>()) {}
  // The values of a command line, as parse_words() reads it. `clock`, here as below, outlives this;
  // null: the system's.
  FakeHost(const ActionDef& action, std::span<const std::string> words,
           const Clock* clock = nullptr)
      : FakeHost(parse_words(action, words), clock) {}
  // The options that the command line would give; each counts as declared and given.
  explicit FakeHost(const std::map<std::string, std::vector<std::string>>& options,
                    std::vector<std::string> arguments = {}, const Clock* clock = nullptr)
      : FakeHost(make_values(options, std::move(arguments)), clock) {}
  explicit FakeHost(Values values, const Clock* clock = nullptr)
      : clock_(clock != nullptr ? *clock : system_clock_),
        loop_(clock_),
        log_("netkit: test: ", LogLevel::hex),
        values_(std::move(values)) {
    log_.redirect([this](std::string_view line) { log_lines.emplace_back(line); });
  }

  EventLoop& loop() override { return loop_; }
  const Clock& clock() const override { return clock_; }
  Log& log() override { return log_; }
  Output& output() override { return fake_output; }
  const Values& values() const override { return values_; }
  std::string_view command() const override { return "test"; }
  bool interactive() const override { return false; }
  void ready(const std::vector<std::string>& descriptions) override { listening = descriptions; }
  void set_totals(std::function<void(Totals&)> fill) override { fill_ = std::move(fill); }
  void set_metrics(std::function<void(std::string&)> append) override {
    append_metrics = std::move(append);
  }
  void on_stop(std::function<void(StopReason)> callback) override { stop_ = std::move(callback); }
  ExitStatus run_loop() override {
    while (!finished) loop_.run();
    return *finished;
  }
  void finish(ExitStatus status, std::string why = {}) override {
    if (finished) return;
    finished = status;
    error = std::move(why);
    loop_.stop();
  }
  void lend_terminal(Editor /*editor*/) override {}
  bool finishing() const override { return finished.has_value(); }
  void show_totals() override {}
  store::MakeEngine stores() override { return make_engine; }

  // Runs the loop until `done()`; false when that takes longer than `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(10)) {
    const TimePoint deadline = SystemClock().now() + limit;
    while (!done()) {
      if (SystemClock().now() > deadline) return false;
      loop_.run_once(std::chrono::milliseconds(10));
    }
    return true;
  }
  // Does what a signal or --timeout would do.
  void stop(StopReason reason) {
    if (stop_) return stop_(reason);
    finish(ExitStatus::done);
  }
  std::map<std::string, Totals::Value> totals() const {
    Totals totals;
    if (fill_) fill_(totals);
    std::map<std::string, Totals::Value> result;
    for (const Totals::Entry& entry : totals.entries()) {
      result.emplace(std::string(entry.name), entry.value);
    }
    return result;
  }

  store::MakeEngine make_engine;  // of the test: store::MemoryStore::maker()
  FakeOutput fake_output;
  std::vector<std::string> log_lines;  // with prefix and newline
  std::vector<std::string> listening;
  std::function<void(std::string&)> append_metrics;
  std::optional<ExitStatus> finished;
  std::string error;

 private:
  static Values make_values(const std::map<std::string, std::vector<std::string>>& options,
                            std::vector<std::string> arguments) {
    std::map<std::string, Values::Value, std::less<>> values;
    for (const auto& [name, texts] : options) {
      values[name] = {texts, Values::Origin::command_line, "command line"};
    }
    return {std::move(values), std::move(arguments)};
  }

  SystemClock system_clock_;
  const Clock& clock_;
  EventLoop loop_;
  Log log_;
  Values values_;
  std::function<void(Totals&)> fill_;
  std::function<void(StopReason)> stop_;
};

}  // namespace netkit::test
