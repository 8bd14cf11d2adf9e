// `sse serve`.
#pragma once

#include <sse/event_server.hpp>

#include <netkit/plugin/plugin.hpp>

namespace netkit::sse {

class ServeCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  ServeOptions options_;
};

}  // namespace netkit::sse
