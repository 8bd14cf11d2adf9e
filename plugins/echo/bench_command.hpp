// `netkit echo bench`: a load test of any echo server.
#pragma once

#include <echo/bench_run.hpp>
#include <echo/rate_search.hpp>
#include <optional>
#include <string>

#include <netkit/plugin/bench_rows.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/text.hpp>

namespace netkit::echo {

// One BenchRun, or with --search one after another.
class BenchCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void check_size() const;
  void check_descriptors() const;
  void say_load() const;
  void start_run();
  void on_run_end(ExitStatus status, const std::string& error);
  void judge_step(ExitStatus status, const std::string& error);
  void emit_step(bool passed);
  void finish_search();
  void show_interval(const BenchRows::Part& part);
  void show(Totals& totals) const;

  BenchOptions options_;
  std::optional<RateSearch> search_;
  Duration step_ = Duration::zero();

  Host* host_ = nullptr;
  bool utf8_ = locale_is_utf8();
  std::optional<BenchRun> run_;
  TimePoint began_;
  std::optional<BenchRows> rows_;
  bool stopped_ = false;
  std::string missed_ = "interrupted";  // why the last step of --search did not pass
};

}  // namespace netkit::echo
