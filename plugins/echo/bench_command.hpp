// `netkit echo bench`: a load test of any echo server.
#pragma once

#include <echo/bench_run.hpp>
#include <optional>
#include <string>

#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

class BenchCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void check_size() const;
  void check_descriptors() const;
  void end(Host& host, ExitStatus status, const std::string& error);
  void show(Totals& totals) const;

  BenchOptions options_;
  std::optional<BenchRun> run_;
};

}  // namespace netkit::echo
