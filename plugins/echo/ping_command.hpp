// `netkit echo ping`: how long servers take to answer, and how reliably they do.
#pragma once

#include <echo/ping_target.hpp>
#include <list>
#include <string>
#include <vector>

#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

class PingCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void add_targets_of_file();
  void start(PingTarget& target);
  void on_end();
  void finish();
  void emit_summary(const PingTarget& target);
  void show(Totals& totals) const;
  void append_metrics(std::string& text) const;

  std::vector<AddressSpec> addresses_;
  std::string targets_file_;
  PingOptions options_;

  Host* host_ = nullptr;
  std::list<PingTarget> targets_;
  bool told_to_end_ = false;
};

}  // namespace netkit::echo
