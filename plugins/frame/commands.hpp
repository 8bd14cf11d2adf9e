// The actions of frame.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <netkit/plugin/host.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::frame {

std::unique_ptr<Command> make_serve();
std::unique_ptr<Command> make_connect();
std::unique_ptr<Command> make_proxy();
std::unique_ptr<Command> make_encode();
std::unique_ptr<Command> make_decode();
std::unique_ptr<Command> make_replay();

// A command that is one object, `Work(host, options)`, which lives while the loop runs.
// `read_options(const Values&)` gives its options, or throws UsageError.
template <typename Work, auto read_options>
class LoopCommand final : public Command {
 public:
  void configure(const Values& values) override { options_.emplace(read_options(values)); }
  ExitStatus run(Host& host) override {
    const Work work(host, *options_);
    return host.run_loop();
  }

 private:
  std::optional<decltype(read_options(std::declval<const Values&>()))> options_;
};

}  // namespace netkit::frame
