// `netkit push status`: the roster, asked over the control channel.
#pragma once

#include <cstdint>
#include <push/control.hpp>
#include <push/control_command.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::push {

class StatusCommand final : public ControlCommand {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_there() override { ask_for_all(); }
  void on_answer(std::string_view line) override;
  void on_count(std::string_view line);
  void on_row(std::string_view line);
  void await_answer();
  void ask_for_all();
  void end_roster();
  void show(const StatusRow& row);
  std::string start_of_table();
  void show_table();

  Duration wait_{};
  bool counted_ = false;    // `OK N` has come
  std::uint64_t rows_ = 0;  // that are still to come
  std::uint64_t shown_ = 0;
  Duration watch_{};                             // 0: asked once
  std::vector<std::vector<std::string>> table_;  // at a terminal: rows of cells
  bool may_be_table_ = true;                     // nothing else is said about form and sinks
  bool is_table_ = false;
  bool has_shown_table_ = false;
  Timer overdue_;
  Timer next_;
};

}  // namespace netkit::push
