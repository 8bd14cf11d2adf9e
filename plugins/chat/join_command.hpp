// `netkit chat join`.
#pragma once

#include <chat/join_settings.hpp>

#include <netkit/plugin/plugin.hpp>

namespace netkit::chat {

class JoinCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  JoinSettings settings_;
  bool plain_ = false;
};

}  // namespace netkit::chat
