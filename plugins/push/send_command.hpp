// `netkit push send`: records for a server that runs, over its control channel.
#pragma once

#include <cstdint>
#include <memory>
#include <push/control_command.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/record/source.hpp>

namespace netkit::push {

class SendCommand final : public ControlCommand, private Sources::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_there() override;
  void on_answer(std::string_view line) override;
  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;

  void send(std::string_view text);
  void check_end();

  static constexpr std::uint64_t kMaxUnanswered = 500;

  std::string topic_;
  std::vector<std::string> texts_;
  std::unique_ptr<Sources> sources_;  // none: the arguments are all there is
  std::uint64_t sent_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;  // there will be no more
  ExitStatus status_ = ExitStatus::done;
  std::string error_;
};

}  // namespace netkit::push
